"""Training on a frozen backbone whose feature maps are computed once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ...models.backbones import FreezableBackbone
from ...models.backbones.feature_cache import FeatureCache
from ...utils.errors import ConfigError


@HOOKS.register_module()
class FeatureCacheHook(Hook):
    """Keep a frozen backbone's feature maps on disk, so that only neck and heads are computed.

    Pays where the same images are seen again: no augmentation, flips, or a fixed number of scales.
    An image that is changed differently every time, as by ``PhotoMetricDistortion``, is never found
    again; the check before a run refuses such a pipeline.

    ``tools/train.py --feature-cache`` adds this hook to a config.

    Args:
        folder: For the maps; several runs may share it.
        dtype: ``'float32'`` or ``'float16'``, see :class:`.FeatureCache`.
        max_gigabytes: Size of the maps on disk beyond which no more are kept. At most half of the
            free disk is used, so that checkpoints have room.
    """

    # After RandomStateHook and before anything that runs the model.
    priority = 'HIGH'

    def __init__(
        self,
        folder: str | Path = 'work_dirs/feature_cache',
        dtype: str = 'float32',
        max_gigabytes: float = 20.0,
    ) -> None:
        self.options: dict[str, Any] = dict(folder=folder, dtype=dtype, max_gigabytes=max_gigabytes)
        self.cache: FeatureCache | None = None

    def before_train(self, runner: Runner) -> None:
        """Set the cache of the backbone."""
        backbone = _backbone(runner)
        if not isinstance(backbone, FreezableBackbone) or not backbone.frozen:
            raise ConfigError('FeatureCacheHook needs a frozen backbone: its maps must not change')
        config = {k: v for k, v in runner.cfg.model.backbone.items() if k != 'init_cfg'}
        folder = Path(self.options['folder'])
        folder.mkdir(parents=True, exist_ok=True)
        options = dict(self.options)
        free = shutil.disk_usage(folder).free / 1e9
        options['max_gigabytes'] = min(options['max_gigabytes'], free / 2)
        self.cache = FeatureCache(backbone, structure=str(sorted(config.items())), **options)
        backbone.feature_cache = self.cache

    def after_train_epoch(self, runner: Runner) -> None:
        """Log the number of cache hits."""
        assert self.cache is not None  # made before the training
        hits, misses = self.cache.hits, self.cache.misses
        share = 100 * hits / max(hits + misses, 1)
        full = '; full, no more maps are stored' if self.cache.full else ''
        runner.logger.info(
            f'feature cache: {share:.0f} % found so far, in {self.cache.folder}{full}'
        )

    def after_train(self, runner: Runner) -> None:
        """Take the cache from the backbone."""
        _backbone(runner).feature_cache = None


def _backbone(runner: Runner) -> Any:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.backbone
