"""Lets MMDetection's ``DetInferencer`` run configs that load images with ``LoadPhotograph``.

``DetInferencer`` looks for the transform ``LoadImageFromFile`` by its name, which excludes
subclasses, and always loads files with that class. Unnecessary once its ``InferencerLoader`` builds
the transform that it replaces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmcv.transforms import BaseTransform, Compose
    from mmdet.apis import DetInferencer
    from mmengine.config import Config


def patch_inferencer(transform: Callable[[], BaseTransform]) -> None:
    """Patch ``DetInferencer`` to load images with a transform, in configs that name it.

    Configs without the transform are not affected.

    Args:
        transform: Registered class of the transform, which the test pipeline names as its type.
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
