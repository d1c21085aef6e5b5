"""Turning a config file and a command line's options into the config of one run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..datasets.annotations import read_coco
from ..datasets.layout import Split, find_splits, renumbered, split_at_random
from ..datasets.loading import load_photographs
from ..utils.errors import ConfigError, DataError

LOOPS = ('train', 'val', 'test')

#: Names at the top of configs/_base_/, which are read while their file is, and what each one sets.
KNOBS = {
    'checkpoint': 'model.backbone.init_cfg.checkpoint or, for a whole detector, '
    'model.init_cfg.checkpoint',
    'task': 'model.backbone.init_cfg.checkpoint',
    'trained_stride': 'model.backbone.trained_stride',
    'data_root': '--data-root',
    'classes': '--data-root',
    'num_classes': '--data-root',
    'batch_size': 'train_dataloader.batch_size',
    'num_workers': 'train_dataloader.num_workers',
    'scale': 'train_dataloader.dataset.pipeline.2.scale and that of the test',
    'anchor_scales': 'model.rpn_head.anchor_generator.scales',
    'anchor_ratios': 'model.rpn_head.anchor_generator.ratios',
    'max_epochs': '--epochs',
    'lr': 'optim_wrapper.optimizer.lr',
}


def load_config(
    path: str | Path,
    work_dir: str | Path | None = None,
    cfg_options: dict[str, Any] | None = None,
    launcher: str = 'none',
) -> Config:
    """Read a config file and set what every run needs.

    Args:
        path: The config file.
        work_dir: Where the run writes; by default what the config says, and
            ``work_dirs/NAME`` otherwise.
        cfg_options: Values by dotted key that replace the config's.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Raises:
        ConfigError: No such file, it cannot be evaluated, or an option that would do nothing.
    """
    path = Path(path)
    for name in cfg_options or {}:
        if name in KNOBS:
            raise ConfigError(
                f'--cfg-options {name}=... comes too late: configs read it while they are read. '
                f'Set what it sets: {KNOBS[name]}'
            )
    if not path.is_file():
        raise ConfigError(f'no config at {path} (looked from {Path.cwd()})')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is Python code: anything may go wrong in it
        raise ConfigError(f'{path} cannot be read: {type(error).__name__}: {error}') from error
    try:
        cfg.merge_from_dict(cfg_options or {})
    except (KeyError, TypeError, IndexError, AssertionError) as error:
        raise ConfigError(f'--cfg-options do not fit {path}: {error}') from error
    if 'model' not in cfg:
        raise ConfigError(f'{path} has no model; expected a config like those in configs/')
    load_photographs(cfg)
    cfg.launcher = launcher
    cfg.work_dir = str(work_dir or cfg.get('work_dir') or Path('work_dirs') / path.stem)
    return cfg


def use_data_root(
    cfg: Config, root: str | Path, whole: bool = False, split_dir: str | Path | None = None
) -> None:
    """Point a config at a folder of one's own data.

    Sets annotation files, image folders and evaluators of training, validation and test, and the
    class names and their number wherever they are needed. A folder with one annotation file is
    parted at random, by the config's seed.

    Args:
        cfg: Is changed.
        root: A folder with COCO annotations, see :func:`.find_splits`.
        whole: A folder with one annotation file is taken whole, to test on, not parted.
        split_dir: Where annotation files go that had to be parted or
            renumbered; by default ``splits`` in the work dir.

    Raises:
        DataError: The folder's layout is not known, or its splits differ in their categories.
    """
    split_dir = Path(split_dir or Path(cfg.work_dir) / 'splits')
    splits = find_splits(root)
    if 'all' in splits:
        if whole:
            splits = {'test': splits['all']}
        else:
            seed = cfg.get('randomness', {}).get('seed') or 0
            splits = split_at_random(splits['all'], split_dir, seed=seed)
    splits = {name: renumbered(s, split_dir / f'{name}.json') for name, s in splits.items()}
    fallbacks = {'train': ('train', 'test'), 'val': ('val', 'test'), 'test': ('test', 'val')}
    chosen = {}
    for loop in LOOPS:
        chosen[loop] = next((splits[name] for name in fallbacks[loop] if name in splits), None)
        if chosen[loop] is None:
            raise DataError(
                f'{root} has no {loop} split, only {", ".join(splits)}. Add one, or leave all in '
                'one annotations.json, which is then parted at random.'
            )
    classes = _common_classes(chosen)
    for loop, split in chosen.items():
        _set_split(cfg, loop, split, classes)
    set_num_classes(cfg.model, len(classes))
    init_cfg = checkpoint_init_cfg(cfg.model)
    if 'classes' in init_cfg:
        init_cfg.classes = classes


def set_epochs(cfg: Config, epochs: int) -> None:
    """Set the length of a run and stretch its learning rate schedule to it.

    Args:
        cfg: Is changed; schedulers that end before the run does, as warm-up, stay.
        epochs: From 1 on.

    Raises:
        ConfigError: Not a whole number of epochs, or a config that counts steps instead.

    Example:
        >>> schedule = [dict(end=1), dict(end=12, milestones=[8, 11])]
        >>> cfg = Config(dict(train_cfg=dict(max_epochs=12), param_scheduler=schedule))
        >>> set_epochs(cfg, 24)
        >>> cfg.param_scheduler
        [{'end': 1}, {'end': 24, 'milestones': [16, 22]}]
    """
    before = cfg.get('train_cfg', {}).get('max_epochs')
    if epochs < 1 or before is None:
        raise ConfigError(f'--epochs {epochs}: expected 1 or more, and a config with max_epochs')
    cfg.train_cfg.max_epochs = epochs
    for scheduler in cfg.get('param_scheduler') or []:
        if scheduler.get('by_epoch', True) and scheduler.get('end', before) == before:
            end = max(epochs, scheduler.get('begin', 0) + 1)
            if 'end' in scheduler:
                scheduler.end = end
            if 'T_max' in scheduler:
                scheduler.T_max = end - scheduler.get('begin', 0)
            if 'step_size' in scheduler:
                scheduler.step_size = max(1, round(scheduler.step_size * epochs / before))
            if 'milestones' in scheduler:
                scheduler.milestones = [round(m * epochs / before) for m in scheduler.milestones]


def set_test_split(cfg: Config, split: Split) -> None:
    """Test on other images, of the same classes.

    Args:
        cfg: Is changed.
        split: The images and their annotations.

    Raises:
        ConfigError: The test's data set is none of COCO's kind.
    """
    classes = innermost_dataset(cfg.test_dataloader).get('metainfo', {}).get('classes')
    _set_split(cfg, 'test', split, classes)


def set_num_classes(model: dict[str, Any], num_classes: int) -> None:
    """Set the number of classes in every head of a model's config.

    Args:
        model: Is changed. The region proposal network keeps its own: it tells object from
            background, whatever the classes.
        num_classes: From 1 on.

    Example:
        >>> model = dict(bbox_head=dict(num_classes=80), rpn_head=dict(num_classes=1))
        >>> set_num_classes(model, 3)
        >>> model
        {'bbox_head': {'num_classes': 3}, 'rpn_head': {'num_classes': 1}}
    """
    for head in _heads(model):
        head['num_classes'] = num_classes


def class_counts(model: dict[str, Any]) -> set[int]:
    """The numbers of classes that a model's heads are configured for.

    Example:
        >>> class_counts(dict(roi_head=dict(bbox_head=dict(num_classes=3))))
        {3}
    """
    return {head['num_classes'] for head in _heads(model)}


def innermost_dataset(dataloader: dict[str, Any]) -> ConfigDict:
    """The data set of a loader's config, inside wrappers such as ``RepeatDataset``."""
    dataset = dataloader['dataset']
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def split_paths(dataset: dict[str, Any]) -> Split:
    """Annotation file and image folder of a data set's config, as mmdet joins them.

    Raises:
        ConfigError: It names no annotation file.
    """
    if not isinstance(dataset.get('ann_file'), str):
        raise ConfigError(
            f'a CocoDataset has ann_file={dataset.get("ann_file")!r}, expected a path'
        )
    root = Path(dataset.get('data_root') or '')
    prefix = dataset.get('data_prefix', {}).get('img', '')
    return Split(root / dataset['ann_file'], root / prefix)


def checkpoint_init_cfg(module: dict[str, Any]) -> dict[str, Any]:
    """The part of a backbone's or model's ``init_cfg`` that loads a file; empty where none does.

    Example:
        >>> checkpoint_init_cfg(dict(init_cfg=[dict(type='Kaiming')]))
        {}
    """
    entries = module.get('init_cfg') or []
    entries = [entries] if isinstance(entries, dict) else entries
    return next((entry for entry in entries if entry.get('checkpoint')), {})


def _heads(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if 'num_classes' in node:
            yield node
        children = [value for key, value in node.items() if key != 'rpn_head']
    else:
        children = list(node) if isinstance(node, list | tuple) else []
    for child in children:
        yield from _heads(child)


def _common_classes(splits: dict[str, Split]) -> tuple[str, ...]:
    classes = {loop: read_coco(split.ann_file).classes for loop, split in splits.items()}
    for loop, names in classes.items():
        if names != classes['train']:
            raise DataError(
                f'the categories differ: {splits["train"].ann_file} has {classes["train"]}, '
                f'{splits[loop].ann_file} has {names}. Use the same, in the same order.'
            )
    if not classes['train']:
        raise DataError(f'{splits["train"].ann_file} lists no categories')
    return classes['train']


def _set_split(cfg: Config, loop: str, split: Split, classes: tuple[str, ...]) -> None:
    if not (cfg.get(f'{loop}_dataloader') or {}).get('dataset'):
        raise ConfigError(f'the config has no {loop}_dataloader with a dataset; see configs/')
    dataset = innermost_dataset(cfg[f'{loop}_dataloader'])
    if dataset.get('type') != 'CocoDataset':
        raise ConfigError(
            f'--data-root works with CocoDataset, and {loop}_dataloader has {dataset.get("type")}'
        )
    dataset.update(
        data_root='',
        ann_file=str(split.ann_file),
        data_prefix=dict(img=f'{split.img_dir}/'),
        metainfo=dict(classes=classes),
    )
    if loop != 'train':
        evaluators = cfg.get(f'{loop}_evaluator') or []
        for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
            if 'ann_file' in evaluator:
                evaluator['ann_file'] = str(split.ann_file)
