"""Find tested runs and their files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...evaluation.report_files import PREDICTIONS_FILE, SOURCE_FILE, check_report
from ...evaluation.working_threshold import DEFAULT_THRESHOLD
from ...utils.errors import ConfigError, DataError
from ...utils.json_files import read_json_object
from ..execution import RECORD_FILE
from ..jobs import EXPERIMENT_FILE, SEED_STRIDE


@dataclass(frozen=True)
class TestReport:
    """The files of one test by ``tools/test.py``.

    Attributes:
        folder: ``WORK_DIR/test/NAME``.
        source: ``source.json``: checkpoint and data of the test.
    """

    # pytest would take the class for a collection of tests.
    __test__ = False

    folder: Path
    source: dict[str, Any]

    @property
    def predictions(self) -> Path:
        """Detections in COCO's format."""
        return self.folder / PREDICTIONS_FILE

    @property
    def score_threshold(self) -> float:
        """The working threshold of the run; the default if the test did not record one."""
        return self.source.get('score_threshold', DEFAULT_THRESHOLD)

    @property
    def runtime(self) -> str:
        """What computed the networks; older tests had no choice."""
        return self.source.get('runtime', 'torch, float32')


@dataclass(frozen=True)
class TestedRun:
    """A run that was trained and tested.

    Attributes:
        folder: Its work dir.
        arm: Name of its arm.
        fraction: Percent of the training images.
        seed: Tells runs of an arm apart; the same seed in two arms means the same images in the
            same order.
        images: Number of training images, if recorded.
        tests: By name of the test set.
    """

    __test__ = False

    folder: Path
    arm: str
    fraction: float
    seed: int
    images: int | None
    tests: dict[str, TestReport]

    @property
    def config(self) -> Path:
        """The run's config, as the runner kept it."""
        report = next(iter(self.tests.values()))
        return report.folder / report.source['config']


@dataclass(frozen=True)
class RunSet:
    """Runs that are compared.

    Attributes:
        runs: At least two arms, all tested on ``tests``.
        arms: Their names, in order.
        reference: The arm that the others are compared with.
        tests: Names of the test sets, the most important first.
        question: The question of the experiment; may be empty.
        notes: Notes on missing runs and tests.
        equal: ``'steps'`` or ``'epochs'`` were the same on all fractions; may be empty.
    """

    runs: list[TestedRun]
    arms: tuple[str, ...]
    reference: str
    tests: tuple[str, ...]
    question: str = ''
    notes: list[str] = field(default_factory=list)
    equal: str = ''


def collect_runs(arguments: Sequence[str], reference: str | None = None) -> RunSet:
    """Find the runs of a command line.

    Args:
        arguments: Work dirs of runs or of experiments; ``NAME=DIR`` sets the arm's name, by default
            that of the experiment or the folder.
        reference: The arm to compare the others with; by default the experiment's, or the first.

    Raises:
        ConfigError: Fewer than two arms, two runs of one arm with the same seed, or a reference
            that is no arm.
        DataError: A folder without tested runs, or runs that were tested on different images.
    """
    runs: list[TestedRun] = []
    notes: list[str] = []
    description: dict[str, Any] = {}
    for argument in arguments:
        name, _, rest = argument.partition('=') if not Path(argument).exists() else ('', '', '')
        folder = Path(rest or argument)
        if (folder / EXPERIMENT_FILE).is_file() and not name:
            description = description or read_json_object(folder / EXPERIMENT_FILE)
            runs += _experiment_runs(folder, notes)
        else:
            runs.append(_read_run(folder, name, notes))
    _refuse_duplicates(runs)
    arms = _ordered([run.arm for run in runs], description.get('arms', []))
    reference = reference or description.get('reference') or arms[0]
    if reference not in arms:
        raise ConfigError(f'--reference {reference}: expected one of {", ".join(arms)}')
    if len(arms) < 2:
        raise ConfigError(
            f'only one arm, {arms[0]}: a comparison needs two. Name arms with NAME=DIR; runs of '
            'one name are seeds of the same arm.'
        )
    tests = _common_tests(runs, description.get('tests', []), notes)
    question = description.get('question', '')
    equal = description.get('equal', '')
    return RunSet(runs, arms, reference, tests, question, notes, equal)


def collect_tested(folders: Sequence[Path]) -> list[TestedRun]:
    """Read runs that were tested.

    Args:
        folders: Work dirs.

    Raises:
        DataError: A folder without a complete test.
    """
    return [_read_run(folder, '', []) for folder in folders]


def _experiment_runs(folder: Path, notes: list[str]) -> list[TestedRun]:
    records = sorted(folder.glob(f'*/fraction-*/seed-*/{RECORD_FILE}'))
    if not records:
        raise DataError(
            f'{folder} has no complete run yet (*/fraction-*/seed-*/{RECORD_FILE}): continue with '
            'tools/run_experiment.py'
        )
    planned = read_json_object(folder / EXPERIMENT_FILE)['runs']
    if len(records) < planned:
        notes.append(f'Only {len(records)} of {planned} runs of {folder} are complete.')
    return [_read_run(path.parent, '', notes) for path in records]


def _read_run(folder: Path, name: str, notes: list[str]) -> TestedRun:
    if folder.is_dir():
        os.listdir(folder)  # glob returns nothing for folders without permission
    reports, incomplete = [], []
    for path in sorted(folder.glob('test/*/')):
        try:
            check_report(path)
        except DataError as reason:
            incomplete.append(f'{reason}.')
        else:
            reports.append(path)
    if not reports:
        found = 'holds no complete test' if folder.is_dir() else 'is not there'
        raise DataError(
            f'{folder} {found} (test/*/{SOURCE_FILE}); expected a work dir of tools/train.py and '
            f'tools/test.py, or the folder of an experiment. {" ".join(incomplete)}'.rstrip()
        )
    notes += [f'Not counted: {reason}' for reason in incomplete]
    tests = {path.name: TestReport(path, read_json_object(path / SOURCE_FILE)) for path in reports}
    if (folder / RECORD_FILE).is_file():
        record = read_json_object(folder / RECORD_FILE)
        arm, fraction, seed = record['arm'], record['fraction'], record['seed']
        return TestedRun(folder, name or arm, fraction, seed, record['images'], tests)
    seed = next(iter(tests.values())).source.get('seed')
    if seed is not None and seed and seed % SEED_STRIDE == 0:
        seed //= SEED_STRIDE
    return TestedRun(folder, name or folder.resolve().name, 100, seed or 0, None, tests)


def _refuse_duplicates(runs: list[TestedRun]) -> None:
    seen: dict[tuple[str, float, int], TestedRun] = {}
    for run in runs:
        other = seen.setdefault((run.arm, run.fraction, run.seed), run)
        if other is not run:
            raise ConfigError(
                f'{other.folder} and {run.folder} are both {run.arm} with seed {run.seed}. Name '
                'different arms with NAME=DIR; runs of one arm need different randomness.seed.'
            )


def _common_tests(runs: list[TestedRun], order: list[str], notes: list[str]) -> tuple[str, ...]:
    every = _ordered([name for run in runs for name in run.tests], order)
    common = tuple(name for name in every if all(name in run.tests for run in runs))
    if not common:
        listed = '; '.join(f'{run.folder}: {", ".join(run.tests)}' for run in runs[:4])
        raise DataError(
            f'the runs were tested on different test sets ({listed}). Run tools/test.py on the '
            'same for all of them.'
        )
    for name in common:
        first = runs[0].tests[name].source
        for run in runs:
            source = run.tests[name].source
            for key in ('annotations_sha256', 'classes'):
                if source[key] != first[key]:
                    raise DataError(
                        f'the runs were tested on different images, boxes or classes under the '
                        f'name {name}: {runs[0].folder} on {first["annotations"]}, {run.folder} on '
                        f'{source["annotations"]}. Run tools/test.py on the same for all of them.'
                    )
    computed = sorted({run.tests[name].runtime for run in runs for name in common})
    if len(computed) > 1:
        notes.append(f'Not all tests were computed in the same way: {"; ".join(computed)}.')
    left_out = [name for name in every if name not in common]
    if left_out:
        notes.append(f'Not all runs were tested on {", ".join(left_out)}: skipped.')
    return common


def _ordered(found: list[str], order: list[str]) -> tuple[str, ...]:
    """Unique names: first those of an experiment in its order, then the others."""
    return tuple(dict.fromkeys([*(name for name in order if name in found), *found]))
