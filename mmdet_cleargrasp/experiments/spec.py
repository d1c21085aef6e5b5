"""The spec of an experiment: a YAML file, read and checked.

See ``configs/experiments/example.yaml`` for every field with its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import DictAction

from ..datasets.split import Split
from ..utils.yaml_specs import SpecError, expect_known, expect_mapping, expect_number, read_yaml
from .folds import MIN_FOLDS

EQUAL = ('steps', 'epochs')
CHECKPOINTS = ('last', 'best')
KEEP = ('tested', 'all', 'none')
#: Names that become folders.
NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*')
#: Allowed keys of ``slurm:``, which are submitit's names, to refuse others before submission.
SLURM_KEYS = (
    'timeout_min', 'partition', 'account', 'qos', 'constraint', 'gpus_per_node', 'gres',
    'cpus_per_task', 'mem_gb', 'array_parallelism', 'signal_delay_s', 'setup',
    'additional_parameters',
)  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One of the systems that are compared.

    Attributes:
        name: Its name in tables, charts and folders.
        config: A config file for tools/train.py.
        cfg_options: Values by dotted key that replace the config's.
        fractions: Percentages of the training images, if the arm has its own.
    """

    name: str
    config: Path
    cfg_options: dict[str, Any] = field(default_factory=dict)
    fractions: tuple[float, ...] = ()


@dataclass(frozen=True)
class ExperimentSpec:
    """A whole experiment: arms x fractions x seeds.

    Attributes:
        name: Of the experiment, and of its folder in ``work_dirs``.
        question: Title of the report.
        arms: The first is the reference of the comparison unless ``reference`` is set.
        reference: Name of that arm.
        seeds: One run per seed.
        fractions: Percentages of the training images, for arms without their own.
        equal: Whether runs on all fractions have the same number of ``'steps'`` or ``'epochs'``.
        epochs: Length on all images; ``None`` for that of the configs.
        scale: Width and height in pixels that images are resized to fit in; likewise.
        checkpoint: Checkpoint to test, ``'last'`` or ``'best'`` on the validation images.
        keep: Checkpoints to keep after a run: ``'tested'``, ``'all'`` or ``'none'``.
        data_root: A folder of one's own data, as for tools/train.py.
        tests: Test sets; ``None`` for those of the configs.
        cfg_options: Options for all arms; those of an arm take precedence.
        slurm: Resources to request from Slurm for each run.
        folds: Number of folds for cross-validation; 0 for none.
        group_by: Keeps images of one group in one fold, see :func:`.groups_by`.
    """

    name: str
    arms: tuple[Arm, ...]
    question: str = ''
    reference: str = ''
    seeds: tuple[int, ...] = (0, 1, 2)
    fractions: tuple[float, ...] = (100,)
    equal: str = 'steps'
    epochs: int | None = None
    scale: tuple[int, int] | None = None
    checkpoint: str = 'last'
    keep: str = 'tested'
    data_root: Path | None = None
    tests: tuple[Split, ...] = ()
    cfg_options: dict[str, Any] = field(default_factory=dict)
    slurm: dict[str, Any] = field(default_factory=dict)
    folds: int = 0
    group_by: str | None = None


def read_experiment(path: str | Path) -> ExperimentSpec:
    """Read the spec of an experiment.

    Args:
        path: YAML file.

    Raises:
        SpecError: It cannot be read, has unknown keys, or a file does not exist.
    """
    return parse_experiment(read_yaml(path), str(path))


def parse_experiment(content: Any, source: str = 'spec') -> ExperimentSpec:
    """Build an experiment from the content of a YAML file.

    Args:
        content: Mapping with ``name``, ``arms`` and any of the other fields.
        source: Its source, for messages.

    Raises:
        SpecError: As :func:`read_experiment`.

    Example:
        >>> from mmdet_cleargrasp import config_path
        >>> arm = {'config': str(config_path('frcnn_cleargrasp_plates'))}
        >>> spec = parse_experiment({'name': 'mine', 'arms': {'cleargrasp': arm}})
        >>> spec.reference, spec.seeds
        ('cleargrasp', (0, 1, 2))
    """
    top = expect_mapping(content, source)
    expect_known(top, [*READERS, *ExperimentSpec.__dataclass_fields__], source)
    for key in ('name', 'arms'):
        if not top.get(key):
            raise SpecError(f'{source} has no `{key}`: add it')
    values = {
        key: READERS[key](value, f'{source}: {key}')
        for key, value in top.items()
        if value is not None
    }
    names = [arm.name for arm in values['arms']]
    reference = values.setdefault('reference', names[0])
    if reference not in names:
        raise SpecError(f'{source}: reference is {reference!r}, expected one of {", ".join(names)}')
    spec = ExperimentSpec(**values)
    _check_folds(spec, source)
    return spec


def _check_folds(spec: ExperimentSpec, source: str) -> None:
    if spec.group_by is not None and not spec.folds:
        raise SpecError(f'{source}: group_by needs `folds`')
    if spec.folds and spec.data_root is None:
        raise SpecError(f'{source}: folds needs `data_root`, the folder whose images are split')
    if spec.folds and spec.tests:
        raise SpecError(f'{source}: folds are tested on their own images; remove `tests`')


def _name(value: Any, where: str) -> str:
    if not NAME.fullmatch(str(value)):
        raise SpecError(
            f'{where} is {value!r}: it becomes a folder; use letters, digits, . _ and -'
        )
    return str(value)


def _arms(value: Any, where: str) -> tuple[Arm, ...]:
    arms = []
    for name, body in expect_mapping(value, where).items():
        place = f'{where}.{name}'
        body = expect_mapping(body, place)
        expect_known(body, ('config', 'cfg_options', 'fractions'), place)
        if 'config' not in body:
            raise SpecError(f'{place} has no `config`: add the config file')
        config = _file(body['config'], f'{place}.config')
        options = _options(body.get('cfg_options') or {}, f'{place}.cfg_options')
        own = body.get('fractions')
        fractions = () if own is None else READERS['fractions'](own, f'{place}.fractions')
        arms.append(Arm(_name(name, place), config, options, fractions))
    return tuple(arms)


def _tests(value: Any, where: str) -> tuple[Split, ...]:
    if not isinstance(value, list) or not value:
        raise SpecError(f'{where} is {value!r}, expected a list of annotations and images')
    tests = []
    for index, body in enumerate(value):
        place = f'{where}[{index}]'
        body = expect_mapping(body, place)
        expect_known(body, ('annotations', 'images'), place)
        if set(body) != {'annotations', 'images'}:
            raise SpecError(f'{place} needs both `annotations` and `images`')
        annotations = _file(body['annotations'], f'{place}.annotations')
        tests.append(Split(annotations, _folder(body['images'], f'{place}.images')))
    return tuple(tests)


def _options(value: Any, where: str) -> dict[str, Any]:
    """Values as the command line's ``--cfg-options`` reads them, so that tuples can be written."""
    return {
        str(key): DictAction._parse_iterable(entry) if isinstance(entry, str) else entry
        for key, entry in expect_mapping(value, where).items()
    }


def _slurm(value: Any, where: str) -> dict[str, Any]:
    expect_known(expect_mapping(value, where), SLURM_KEYS, where)
    return dict(value)


def _numbers(whole: bool, low: float, high: float) -> Callable[[Any, str], tuple]:
    def read(value: Any, where: str) -> tuple:
        if not isinstance(value, list) or not value:
            raise SpecError(f'{where} is {value!r}, expected a list of numbers')
        for entry in value:
            if not low <= expect_number(entry, where, whole) <= high:
                raise SpecError(f'{where} holds {entry}, expected {low} to {high}')
        if len(set(value)) < len(value):
            raise SpecError(f'{where} is {value!r}: expected each value only once')
        return tuple(value)

    return read


def _choice(choices: tuple[str, ...]) -> Callable[[Any, str], str]:
    def read(value: Any, where: str) -> str:
        if value not in choices:
            raise SpecError(f'{where} is {value!r}, expected one of {", ".join(choices)}')
        return value

    return read


def _folds(value: Any, where: str) -> int:
    if expect_number(value, where, whole=True) < MIN_FOLDS:
        raise SpecError(f'{where} is {value}, expected {MIN_FOLDS} or more: one to test on, one '
                        'for validation, and the others to train on')  # fmt: skip
    return int(value)


def _epochs(value: Any, where: str) -> int:
    if expect_number(value, where, whole=True) < 1:
        raise SpecError(f'{where} is {value}, expected 1 or more')
    return int(value)


def _scale(value: Any, where: str) -> tuple[int, int]:
    pair = [value, value] if isinstance(value, int) else value
    if not isinstance(pair, list) or len(pair) != 2:
        raise SpecError(f'{where} is {value!r}, expected a width and a height, or one number')
    if min(expect_number(side, where, whole=True) for side in pair) < 1:
        raise SpecError(f'{where} is {value!r}, expected 1 or more')
    return (pair[0], pair[1])


def _file(value: Any, where: str) -> Path:
    if not Path(str(value)).is_file():
        raise SpecError(f'{where}: no file at {value} (looked from {Path.cwd()})')
    return Path(value)


def _folder(value: Any, where: str) -> Path:
    if not Path(str(value)).is_dir():
        raise SpecError(f'{where}: no folder at {value} (looked from {Path.cwd()})')
    return Path(value)


READERS: dict[str, Callable[[Any, str], Any]] = {
    'name': _name,
    'question': lambda value, where: ' '.join(str(value).split()),
    'arms': _arms,
    'reference': lambda value, where: str(value),
    'seeds': _numbers(whole=True, low=0, high=10**6),
    'fractions': _numbers(whole=False, low=0.01, high=100),
    'equal': _choice(EQUAL),
    'epochs': _epochs,
    'scale': _scale,
    'checkpoint': _choice(CHECKPOINTS),
    'keep': _choice(KEEP),
    'data_root': _folder,
    'tests': _tests,
    'cfg_options': _options,
    'slurm': _slurm,
    'folds': _folds,
    'group_by': lambda value, where: str(value),
}
"""How each field is read."""
