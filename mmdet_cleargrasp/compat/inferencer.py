"""``DetInferencer`` looks for the transform ``LoadImageFromFile`` by name, not for its subclasses.

It loads files with that class whatever the config says. Unnecessary once its ``InferencerLoader``
builds the transform that it replaces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmcv.transforms import BaseTransform, Compose
    from mmdet.apis import DetInferencer
    from mmengine.config import Config


def let_inferencer_load_by(transform: Callable[[], BaseTransform]) -> None:
    """Allow ``DetInferencer`` to run configs whose pipeline starts with ``LoadPhotograph``.

    Other configs are left alone.

    Args:
        transform: The registered class.
    """
    from mmdet.apis import DetInferencer

    build_pipeline = DetInferencer._init_pipeline
    name = transform.__name__

    def build(self: DetInferencer, cfg: Config) -> Compose:
        from mmdet.datasets.transforms import InferencerLoader

        loaders = [t for t in cfg.test_dataloader.dataset.pipeline if t['type'] == name]
        for loader in loaders:
            loader['type'] = 'LoadImageFromFile'
        pipeline = build_pipeline(self, cfg)
        for step in pipeline.transforms:
            if loaders and isinstance(step, InferencerLoader):
                step.from_file = transform()
        return pipeline

    DetInferencer._init_pipeline = build
