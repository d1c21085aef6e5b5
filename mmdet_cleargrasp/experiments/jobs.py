"""From the spec of an experiment to its runs: a config, a subset of images and a folder each."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import pprint
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..datasets.annotations import read_coco
from ..datasets.groups import SERIES_PATTERN, describe_series, find_series
from ..datasets.layout import find_splits
from ..datasets.split import Split
from ..engine.checks import check_data, check_run, collect
from ..engine.config_data import set_split
from ..engine.prepare import RunOptions, prepare
from ..engine.run_plan import RunPlan, read_plan
from ..engine.testing import report_name
from ..utils.atomic_files import write_atomically, write_json
from ..utils.errors import ConfigError, UserError
from ..utils.findings import Finding
from ..utils.json_files import read_json_object
from .folds import Folds, write_folds
from .spec import Arm, ExperimentSpec, SpecError
from .subsets import choose_images, write_subset

#: mmengine counts up from the seed by epoch for the order of images: neighboring seeds would share
#: most of it.
SEED_STRIDE = 10007
#: Two, since the older is removed before the newer is complete: one always exists.
CHECKPOINTS = {
    'default_hooks.checkpoint.type': 'CheckpointHook',
    'default_hooks.checkpoint.interval': 1,
    'default_hooks.checkpoint.max_keep_ckpts': 2,
}
#: Name of the test set of all folds of a cross-validation.
CROSS_VALIDATION = 'cross_validation'
#: File that describes the experiment, for the comparison.
EXPERIMENT_FILE = 'experiment.json'
#: File that describes how a run was started.
PLAN_FILE = 'plan.json'


@dataclass(frozen=True)
class Job:
    """One run: train, then test on every test set.

    Attributes:
        experiment: Its name.
        arm: Its name.
        fraction: Percent of the training images.
        seed: As in the spec.
        folder: The run's work dir.
        train_config: Config file to train with.
        test_configs: Config files to test with, by name of the test set.
        epochs: Length of the training.
        steps: Length of the training.
        images: Training images.
        checkpoint: ``'last'`` or ``'best'``.
        keep: ``'tested'``, ``'all'`` or ``'none'``.
        digest: Identifies what the run's result depends on.
        fold: Number of the fold that is tested on, from 1 on; ``None`` without folds.
    """

    experiment: str
    arm: str
    fraction: float
    seed: int
    folder: str
    train_config: str
    test_configs: dict[str, str]
    epochs: int
    steps: int
    images: int
    checkpoint: str
    keep: str
    digest: str
    fold: int | None = None

    @property
    def name(self) -> str:
        """For people."""
        fold = f', fold {self.fold}' if self.fold else ''
        return f'{self.arm}, {self.fraction:g} %, seed {self.seed}{fold}'


@dataclass(frozen=True)
class Plan:
    """All runs of an experiment, with what has to be written before they start.

    Attributes:
        spec: That it was made from.
        root: The experiment's folder.
        jobs: In the order in which they are run: a seed after the other, all arms of a seed next to
            each other, so that an unfinished experiment compares what it has.
        configs: By file.
        subsets: Annotation file of the whole, percent and seed, by file.
        data_root: The data, where the spec names them.
        folds: Of a cross-validation; the spec's ``data_root`` is then the folder of the first.
    """

    spec: ExperimentSpec
    root: Path
    jobs: list[Job]
    configs: dict[str, Config]
    subsets: dict[str, tuple[Path, float, int]]
    data_root: Path | None = None
    folds: Folds | None = None


def plan_experiment(spec: ExperimentSpec, root: str | Path) -> Plan:
    """Plan every run of an experiment; writes only the data folders of folds.

    Args:
        spec: From :func:`.read_experiment`.
        root: The experiment's folder.

    Raises:
        ConfigError: A config that cannot be read, or two test sets of one name.
        DataError: Annotations that cannot be read.
    """
    plan = _empty_plan(spec, Path(root))
    spec, folds = plan.spec, plan.folds
    fractions = {arm.name: arm.fractions or spec.fractions for arm in spec.arms}
    arms = {arm.name: plan_arm(spec, arm, plan.root).cfg for arm in spec.arms}
    for seed in spec.seeds:
        for fraction in sorted(set().union(*fractions.values()), reverse=True):
            for fold in range(1, len(folds.folders) + 1) if folds else (None,):
                for name, cfg in arms.items():
                    if fraction in fractions[name]:
                        _plan_run(plan, name, cfg, fraction, seed, fold)
    return plan


def _empty_plan(spec: ExperimentSpec, root: Path) -> Plan:
    if not spec.folds or spec.data_root is None:
        return Plan(spec, root, [], {}, {}, spec.data_root)
    folds = write_folds(spec.data_root, root / 'folds', spec.folds, spec.group_by)
    on_first = replace(spec, data_root=folds.folders[0])
    return Plan(on_first, root, [], {}, {}, spec.data_root, folds)


def plan_arm(spec: ExperimentSpec, arm: Arm, root: Path) -> RunPlan:
    """Plan an arm's training on all images, with the spec's settings for all arms.

    Args:
        spec: Of the experiment.
        arm: One of its arms.
        root: The experiment's folder.

    Raises:
        ConfigError: Invalid config or options; the message names the arm.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            options = RunOptions(
                work_dir=root / arm.name,
                cfg_options={**spec.cfg_options, **arm.cfg_options},
                data_root=spec.data_root,
                split_dir=folder,
                epochs=spec.epochs,
                scale=spec.scale,
            )
            plan = prepare(arm.config, options)
            _refuse_written_splits(plan, folder, spec.data_root)
    except UserError as error:
        raise ConfigError(f'arm {arm.name}: {error}') from error
    if plan.max_epochs is None:
        raise ConfigError(f'arm {arm.name}: {arm.config} counts steps; experiments take max_epochs')
    plan.cfg.merge_from_dict(CHECKPOINTS)
    checkpoints = plan.cfg.default_hooks.checkpoint
    if spec.checkpoint == 'last':
        checkpoints.pop('save_best', None)
        checkpoints.pop('rule', None)
    elif not checkpoints.get('save_best'):
        raise ConfigError(f'arm {arm.name}: checkpoint: best needs save_best in {arm.config}')
    return plan


def check_arms(plan: Plan) -> Iterator[tuple[str, Finding]]:
    """Check every arm before anything runs: data, backbone file, strides, schedule, test sets.

    Args:
        plan: From :func:`plan_experiment`.

    Yields:
        The arm's name, and what was found.
    """
    if plan.folds and plan.spec.group_by is None and (series := find_series(plan.folds.files)):
        text = describe_series(series, f"group_by: '{SERIES_PATTERN}' in the spec")
        yield 'all arms', Finding('warning', 'folds', text)
    truths = {}
    for arm in plan.spec.arms:
        job = next(job for job in plan.jobs if job.arm == arm.name)
        run = plan_arm(plan.spec, arm, plan.root)
        truths[arm.name] = _ann_file(run, 'train').absolute()
        for finding in check_run(run):
            yield arm.name, finding
        for path in job.test_configs.values():
            for finding in collect(check_data(read_plan(plan.configs[path]), 'test')):
                yield arm.name, finding
    if len(set(truths.values())) > 1:
        listed = ', '.join(f'{name}: {path}' for name, path in truths.items())
        text = f'the arms train on different images ({listed}); give all the same, or data_root'
        yield 'all arms', Finding('error', 'train data', text)


def refuse_changed(plan: Plan) -> None:
    """Refuse a folder with runs that were started with other settings or files.

    Args:
        plan: From :func:`plan_experiment`.

    Raises:
        ConfigError: The folder has runs of another spec.
    """
    changed = [job.folder for job in plan.jobs if _started_as(job) not in (None, job.digest)]
    if changed:
        raise ConfigError(
            f'{len(changed)} run(s) in {plan.root} were started with another spec, config, data or '
            f'backbone file (first: {changed[0]}). Give the experiment another name, or remove '
            'those folders.'
        )


def write_plan(plan: Plan) -> None:
    """Write the configs and annotations of all runs, and the experiment's description.

    Args:
        plan: From :func:`plan_experiment`.

    Raises:
        ConfigError: The folder has runs of another spec.
    """
    refuse_changed(plan)
    for path, (whole, fraction, seed) in plan.subsets.items():
        write_subset(whole, fraction, seed, path)
    for path, cfg in plan.configs.items():
        write_config(cfg, path)
    for job in plan.jobs:
        write_json(Path(job.folder) / PLAN_FILE, asdict(job))
    spec = plan.spec
    description = {
        'name': spec.name,
        'question': spec.question,
        'arms': [arm.name for arm in spec.arms],
        'reference': spec.reference,
        'equal': spec.equal,
        'checkpoint': spec.checkpoint,
        'tests': [CROSS_VALIDATION] if plan.folds else list(plan.jobs[0].test_configs),
        'runs': len(plan.jobs) // (len(plan.folds.folders) if plan.folds else 1),
    }
    write_json(plan.root / EXPERIMENT_FILE, description)


def write_config(cfg: Config, path: str | Path) -> None:
    """Write a config as a Python file, atomically and without slow formatting.

    Args:
        cfg: Of plain values.
        path: The file.
    """
    lines = [f'{key} = {pprint.pformat(value)}' for key, value in cfg.to_dict().items()]
    write_atomically(path, '\n'.join([*lines, '']).encode())


def _plan_run(
    plan: Plan, arm: str, arm_cfg: Config, fraction: float, seed: int, fold: int | None
) -> None:
    spec = plan.spec
    folder = plan.root / arm / f'fraction-{fraction:g}' / f'seed-{seed}'
    cfg = copy.deepcopy(arm_cfg)
    if plan.folds and fold:
        folder /= f'fold-{fold}'
        for loop, split in find_splits(plan.folds.folders[fold - 1]).items():
            set_split(cfg, loop, split)
    cfg.work_dir = str(folder)
    cfg.randomness = {**cfg.get('randomness', {}), 'seed': seed * SEED_STRIDE}
    tests = _test_configs(cfg, spec.tests)
    digest = _digest(cfg, tests, fraction, spec)
    images, steps = _take_fraction(plan, cfg, fraction, seed, fold)
    train_config = str(folder / 'configs' / f'{arm}.py')
    test_files = {name: str(folder / 'configs' / f'{arm}_on_{name}.py') for name in tests}
    plan.configs[train_config] = cfg
    plan.configs.update({test_files[name]: test for name, test in tests.items()})
    epochs = cfg.train_cfg.max_epochs
    plan.jobs.append(
        Job(
            spec.name, arm, fraction, seed, str(folder), train_config, test_files, epochs,
            epochs * steps, images, spec.checkpoint, spec.keep, digest, fold,
        )
    )  # fmt: skip


def _take_fraction(
    plan: Plan, cfg: Config, fraction: float, seed: int, fold: int | None
) -> tuple[int, int]:
    """Train on a fraction of the images; gives their number and the steps of an epoch."""
    run = read_plan(cfg)
    ann_file = _ann_file(run, 'train')
    images, whole = (len(_choose(ann_file, part, seed)) for part in (fraction, 100))
    times = max(1, round(whole / images)) if plan.spec.equal == 'steps' else 1
    steps = max(1, -(-run.steps_per_epoch * images * times // whole))
    if fraction < 100:
        folder = plan.root / 'annotations' / f'seed-{seed}'
        folder = folder / f'fold-{fold}' if fold else folder
        subset = folder / f'{fraction:g}_{ann_file.name}'
        plan.subsets[str(subset)] = (ann_file, fraction, seed)
        set_split(cfg, 'train', Split(subset, _split(run, 'train').img_dir))
    if times > 1:
        # The number of epochs stays the same, and so do warm-up, decay and validations.
        inner = cfg.train_dataloader.dataset
        cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=times, dataset=inner)
    return images, steps


def _test_configs(cfg: Config, tests: tuple[Split, ...]) -> dict[str, Config]:
    configs: dict[str, Config] = {}
    for test in tests or (_split(read_plan(cfg), 'test'),):
        name = report_name(test.ann_file)
        if name in configs:
            raise SpecError(
                f'two test sets are called {name}, after their annotation files: tools/test.py '
                'would write both reports to one folder. Rename one of the files.'
            )
        configs[name] = copy.deepcopy(cfg)
        set_split(configs[name], 'test', test)
    return configs


@functools.lru_cache(maxsize=256)
def _choose(ann_file: Path, fraction: float, seed: int) -> list[int | str]:
    return choose_images(read_coco(ann_file), fraction, seed)


def _refuse_written_splits(plan: RunPlan, folder: str, data_root: Path | None) -> None:
    files = [data.split.ann_file for data in plan.data.values() if data.split]
    if any(Path(folder) in file.parents for file in files):
        raise ConfigError(
            f'{data_root} has no fixed splits for training and validation, or annotation ids that '
            f'need renumbering. Split it once, tools/dataset_converters/to_coco.py {data_root} '
            'OUT, and name OUT as data_root.'
        )


def _ann_file(run: RunPlan, loop: str) -> Path:
    return _split(run, loop).ann_file


def _split(run: RunPlan, loop: str) -> Split:
    split = run.data[loop].split if loop in run.data else None
    if split is None:
        raise ConfigError(f'{run.cfg.filename} names no annotation file for {loop}')
    return split


def _digest(cfg: Config, tests: dict[str, Config], fraction: float, spec: ExperimentSpec) -> str:
    """Hash of everything that a run's result depends on, without the output folder."""
    content = cfg.to_dict()
    content.pop('work_dir')
    files = [_ann_file(read_plan(c), 'test') for c in tests.values()]
    files.append(_ann_file(read_plan(cfg), 'train'))
    files += [Path(name) for name in _checkpoints(content.get('model')) if Path(name).is_file()]
    hashes = [_file_hash(str(file), file.stat().st_mtime_ns) for file in files if file.is_file()]
    parts = [content, sorted(tests), hashes, fraction, spec.equal, spec.checkpoint]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=64)
def _file_hash(path: str, changed: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _checkpoints(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get('checkpoint'), str):
            yield node['checkpoint']
        node = list(node.values())
    for child in node if isinstance(node, list | tuple) else ():
        yield from _checkpoints(child)


def _started_as(job: Job) -> str | None:
    path = Path(job.folder) / PLAN_FILE
    return read_json_object(path).get('digest', '') if path.is_file() else None
