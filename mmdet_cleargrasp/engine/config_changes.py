"""Config changes made by command line options: length, scale, learning rate, cache, TTA."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config, ConfigDict

from ..utils.errors import ConfigError
from .config_parts import innermost_dataset

#: More would overflow the estimate of the time that is left.
MOST_EPOCHS = 1_000_000
#: Improvement of a figure of validation that early stopping counts.
MIN_DELTA = 1e-4
#: Directions of test-time augmentation, whose boxes can be flipped back.
FLIPS = ('horizontal', 'vertical', 'diagonal')
#: Metadata of an image that merging boxes needs.
META_KEYS = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')


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
    if not 1 <= epochs <= MOST_EPOCHS or before is None:
        raise ConfigError(
            f'--epochs {epochs}: expected 1 to {MOST_EPOCHS:,}, and a config with max_epochs'
        )
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
    """Stop a training whose validation does not improve any more.

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


def cache_features(cfg: Config, folder: str) -> None:
    """Keep the feature maps of a frozen backbone on disk (``FeatureCacheHook``).

    Args:
        cfg: Is changed; a cache that it has already gets the folder.
        folder: For the maps; several runs may share it.

    Example:
        >>> cfg = Config(dict(custom_hooks=[]))
        >>> cache_features(cfg, 'work_dirs/feature_cache')
        >>> cfg.custom_hooks
        [{'type': 'FeatureCacheHook', 'folder': 'work_dirs/feature_cache'}]
    """
    hooks = cfg.get('custom_hooks') or []
    caches = [hook for hook in hooks if hook.get('type') == 'FeatureCacheHook']
    for hook in caches:
        hook['folder'] = folder
    if not caches:
        cfg.custom_hooks = [*hooks, dict(type='FeatureCacheHook', folder=folder)]


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
