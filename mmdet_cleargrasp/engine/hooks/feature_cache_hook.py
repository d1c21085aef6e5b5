"""Training on a frozen backbone without running it again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ...models.backbones.feature_cache import FeatureCache
from ...utils.errors import ConfigError


@HOOKS.register_module()
class FeatureCacheHook(Hook):
    """Keep a frozen backbone's maps on disk, so that only neck and heads are computed.

    Pays where images come back: no augmentation, flips, or a fixed number of scales. An image that
    is drawn differently every time, as ``PhotoMetricDistortion`` does, is never found again; the
    check before a run refuses such a pipeline.

    Args:
        folder: For the maps; several runs may share it.
        dtype: ``'float32'`` or ``'float16'``, see :class:`.FeatureCache`.
        max_gigabytes: Likewise.
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
        """Put the cache in the place of the backbone's forward."""
        backbone = _backbone(runner)
        if not getattr(backbone, 'frozen', False):
            raise ConfigError('FeatureCacheHook needs a frozen backbone: its maps must not change')
        config = {k: v for k, v in runner.cfg.model.backbone.items() if k != 'init_cfg'}
        self.cache = FeatureCache(backbone, structure=str(sorted(config.items())), **self.options)
        backbone.forward = self.cache

    def after_train_epoch(self, runner: Runner) -> None:
        """Say how much was found."""
        hits, misses = self.cache.hits, self.cache.misses
        share = 100 * hits / max(hits + misses, 1)
        runner.logger.info(f'feature cache: {share:.0f} % found so far, in {self.cache.folder}')

    def after_train(self, runner: Runner) -> None:
        """Give the backbone its own forward back."""
        del _backbone(runner).forward


def _backbone(runner: Runner) -> Any:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.backbone
