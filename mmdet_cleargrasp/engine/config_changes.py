"""Config changes made by command line options: data, classes, test split, scale and length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..datasets.completion import completed
from ..datasets.layout import find_split, splits_of_loops
from ..datasets.split import Split
from ..utils.errors import ConfigError
from .config_parts import checkpoint_init_cfg, class_heads, evaluators, innermost_dataset

#: Improvement of a figure of validation that early stopping counts.
MIN_DELTA = 1e-4
#: Directions of test-time augmentation, whose boxes can be flipped back.
FLIPS = ('horizontal', 'vertical', 'diagonal')
#: What merging boxes needs to know of an image.
META_KEYS = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')


def use_data_root(
    cfg: Config, root: str | Path, *, testing: bool = False, split_dir: str | Path | None = None
) -> None:
    """Point a config at a folder of one's own data.

    Sets annotation files, image folders and evaluators of training, validation and test, and the
    class names and their number wherever they are needed. A folder with one annotation file is
    split at random, by the config's seed. Where a folder has no ``val`` or no ``test``, the other
    one serves for both.

    Args:
        cfg: Is changed.
        root: A folder with COCO annotations, see :func:`.find_splits`.
        testing: Only a test split is needed; a folder with one annotation file is not split.
        split_dir: Folder for annotation files that had to be split or renumbered; by default
            ``splits`` in the work dir.

    Raises:
        DataError: The folder's layout is not known, a split is missing, or the splits differ in
            their categories.
    """
    splits, classes = splits_of_loops(
        root,
        split_dir or Path(cfg.work_dir) / 'splits',
        testing=testing,
        seed=cfg.get('randomness', {}).get('seed') or 0,
        trained=_classes(cfg, 'test') if testing else (),
    )
    for loop, split in splits.items():
        set_split(cfg, loop, split, classes)
    for head in class_heads(cfg.model):
        head['num_classes'] = len(classes)
    init_cfg = checkpoint_init_cfg(cfg.model)
    if 'classes' in init_cfg:
        init_cfg['classes'] = classes


def use_test_split(
    cfg: Config,
    name: str,
    *,
    data_root: str | Path | None = None,
    split_dir: str | Path | None = None,
) -> None:
    """Test on another split of the data, such as ``hard``.

    Args:
        cfg: Is changed.
        name: Of ``annotations/NAME.json`` and the image folder ``NAME/``, or the same in another
            layout of :func:`.find_splits`.
        data_root: Folder of the data; by default the one that the test's annotations are in.
        split_dir: As for :func:`use_data_root`.

    Raises:
        ConfigError: The test's dataset is not a ``CocoDataset``.
        DataError: There is no such split.
    """
    dataset = _coco_dataset(cfg, 'test', '--test-split')
    if data_root is None:
        ann_file = Path(dataset.get('data_root') or '', dataset.get('ann_file') or '')
        data_root = ann_file.parent.parent
    split_dir = Path(split_dir or Path(cfg.work_dir) / 'splits')
    split = completed(find_split(data_root, name), split_dir / f'{name}.json')
    set_split(cfg, 'test', split, dataset.get('metainfo', {}).get('classes'))


def set_split(cfg: Config, loop: str, split: Split, classes: tuple[str, ...] | None = None) -> None:
    """Set the images of a loop.

    Args:
        cfg: Is changed.
        loop: ``'train'``, ``'val'`` or ``'test'``.
        split: The images and their annotations.
        classes: Of the annotations; by default the config's.

    Raises:
        ConfigError: The loop's dataset is not a ``CocoDataset``.
    """
    dataset = _coco_dataset(cfg, loop, '--data-root')
    dataset.update(
        data_root='', ann_file=str(split.ann_file), data_prefix=dict(img=f'{split.img_dir}/')
    )
    if classes is not None:
        dataset['metainfo'] = dict(classes=classes)
    if loop != 'train':
        for evaluator in evaluators(cfg, loop):
            if 'ann_file' in evaluator:
                evaluator['ann_file'] = str(split.ann_file)


def set_epochs(cfg: Config, epochs: int) -> None:
    """Set the length of a run and stretch its learning rate schedule to it.

    Args:
        cfg: Is changed; schedulers that end before the run does, such as warm-up, stay.
        epochs: From 1 on.

    Raises:
        ConfigError: Fewer than one epoch, or a config that counts steps instead.

    Example:
        >>> schedule = [dict(end=1), dict(end=12, milestones=[8, 11])]
        >>> cfg = Config(dict(train_cfg=dict(max_epochs=12), param_scheduler=schedule))
        >>> set_epochs(cfg, 24)
        >>> cfg.param_scheduler
        [{'end': 1}, {'end': 24, 'milestones': [16, 22]}]
    """
    before = (cfg.get('train_cfg') or {}).get('max_epochs')
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


def set_scale(cfg: Config, scale: tuple[int, int]) -> None:
    """Set the size to which images are resized, in training, validation and test.

    Args:
        cfg: Is changed, in every ``Resize`` and ``RandomView``.
        scale: Width and height in pixels, which images are resized to fit in.

    Raises:
        ConfigError: Not two positive numbers, no ``Resize``, or a pipeline of several scales.

    Example:
        >>> cfg = Config(dict(test_pipeline=[dict(type='Resize', scale=(320, 320))]))
        >>> set_scale(cfg, (512, 512))
        >>> cfg.test_pipeline
        [{'type': 'Resize', 'scale': (512, 512)}]
    """
    if len(scale) != 2 or min(scale) < 1:
        raise ConfigError(f'--scale {" ".join(map(str, scale))}: expected a width and a height')
    steps = [step for step in _transforms(list(cfg.values())) if 'Resize' in step['type']]
    several = [step['type'] for step in steps if step['type'] != 'Resize']
    if several or not steps:
        raise ConfigError(
            f'--scale sets the scale of Resize, and the pipelines have {several or "none"}: '
            'set it in the config'
        )
    for step in steps:
        step['scale'] = tuple(scale)
    for step in _transforms(list(cfg.values())):
        if step['type'] == 'RandomView':
            step['size'] = tuple(scale)


def enable_auto_scale_lr(cfg: Config) -> None:
    """Scale the learning rate with the batch size over all processes.

    Raises:
        ConfigError: The config does not say for which batch size its learning rate is meant.
    """
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise ConfigError(
            '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config: the '
            'batch size over all processes for which its learning rate is meant'
        )
    cfg.auto_scale_lr.enable = True


def stop_early(cfg: Config, patience: int) -> None:
    """Stop a training whose validation no longer gets better.

    Args:
        cfg: Is changed.
        patience: Validations in a row without a better figure than the best so far; the figure is
            the one that the best checkpoint is chosen by.

    Raises:
        ConfigError: The config chooses no best checkpoint.

    Example:
        >>> checkpoint = dict(save_best='coco/bbox_mAP', rule='greater')
        >>> cfg = Config(dict(default_hooks=dict(checkpoint=checkpoint)))
        >>> stop_early(cfg, 5)
        >>> cfg.custom_hooks[0].monitor, cfg.custom_hooks[0].patience
        ('coco/bbox_mAP', 5)
    """
    best = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    if not isinstance(best.get('save_best'), str) or best['save_best'] == 'auto':
        raise ConfigError(
            '--patience needs default_hooks.checkpoint.save_best in the config: the figure of '
            "validation to watch, such as 'coco/bbox_mAP'"
        )
    hook = dict(
        type='EarlyStoppingHook',
        monitor=best['save_best'],
        rule=best.get('rule'),
        min_delta=MIN_DELTA,  # mmengine's default of 0.1 is far more than AP gains in a validation
        patience=patience,
    )
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]


def set_batch_size(cfg: Config, size: int) -> None:
    """Set the batch size of the training, per process.

    Args:
        cfg: Is changed.
        size: From 1 on.
    """
    cfg.train_dataloader.batch_size = size


def enable_tta(cfg: Config) -> None:
    """Test every image flipped as well, and merge the boxes by NMS (``DetTTAModel``).

    Args:
        cfg: Of a test; is changed.

    Raises:
        ConfigError: A test pipeline that does not end in ``PackDetInputs``, or a model without NMS.
    """
    test_cfg = cfg.model.get('test_cfg') or {}
    test_cfg = test_cfg.get('rcnn', test_cfg)
    pipeline = innermost_dataset(cfg.test_dataloader).pipeline
    if 'nms' not in test_cfg or pipeline[-1]['type'] != 'PackDetInputs':
        raise ConfigError(
            '--tta needs model.test_cfg with nms, and a test pipeline that ends in PackDetInputs'
        )
    flips = [dict(type='RandomFlip', prob=0.0)]  # first: its ground truth is that of the image
    flips += [dict(type='RandomFlip', prob=1.0, direction=direction) for direction in FLIPS]
    names = pipeline[-1].get('meta_keys', META_KEYS)
    pack = {**pipeline[-1], 'meta_keys': tuple(dict.fromkeys((*names, 'flip', 'flip_direction')))}
    pipeline[-1] = dict(type='TestTimeAug', transforms=[flips, [pack]])
    merging = dict(nms=test_cfg['nms'], max_per_img=test_cfg['max_per_img'])
    cfg.model = ConfigDict(type='DetTTAModel', tta_cfg=merging, module=cfg.model)


def _transforms(node: Any) -> Iterator[dict[str, Any]]:
    """Every dict of a config that has a type."""
    if isinstance(node, dict):
        if isinstance(node.get('type'), str):
            yield node
        children = list(node.values())
    else:
        children = list(node) if isinstance(node, list | tuple) else []
    for child in children:
        yield from _transforms(child)


def _classes(cfg: Config, loop: str) -> tuple[str, ...]:
    if not (cfg.get(f'{loop}_dataloader') or {}).get('dataset'):
        return ()
    named = innermost_dataset(cfg[f'{loop}_dataloader']).get('metainfo', {}).get('classes') or ()
    return () if isinstance(named, str) else tuple(named)


def _coco_dataset(cfg: Config, loop: str, option: str) -> dict[str, Any]:
    if not (cfg.get(f'{loop}_dataloader') or {}).get('dataset'):
        raise ConfigError(f'the config has no {loop}_dataloader with a dataset; see configs/')
    dataset = innermost_dataset(cfg[f'{loop}_dataloader'])
    if dataset.get('type') != 'CocoDataset':
        raise ConfigError(
            f'{option} works with CocoDataset, and {loop}_dataloader has {dataset.get("type")}'
        )
    return dataset
