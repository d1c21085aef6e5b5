"""Drawing what a test finds: one box a plate, in colours that people tell apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torchvision
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.runner import Runner
from PIL import ImageColor

from ...presentation import PALETTE, SAME_PLATE_IOU


@HOOKS.register_module()
class PlateVisualizationHook(DetVisualizationHook):
    """MMDetection's drawing hook, with the boxes that ``tools/infer.py`` would give.

    The metrics count every class by itself, so that the same plate may well have a box as a dish
    and one as a multiwell plate. A picture of both says nothing: the better one is drawn.

    Args:
        **kwargs (Any): as in ``mmdet.engine.hooks.DetVisualizationHook``.
    """

    def before_test(self, runner: Runner) -> None:
        """Give each class its colour."""
        meta = self._visualizer.dataset_meta or {}
        colors = itertools.cycle(ImageColor.getrgb(color) for color in PALETTE)
        palette = list(itertools.islice(colors, len(meta.get('classes', ()))))
        self._visualizer.dataset_meta = {**meta, 'palette': palette}

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any],
        outputs: Sequence[DetDataSample],
    ) -> None:
        """Draw a batch."""
        if self.draw:
            outputs = [one_box_a_plate(sample) for sample in outputs]
        super().after_test_iter(runner, batch_idx, data_batch, outputs)


def one_box_a_plate(sample: DetDataSample) -> DetDataSample:
    """The sample with the best of boxes that overlap, whatever their classes.

    Args:
        sample (DetDataSample): with ``pred_instances``; is left as it is.
    """
    found = sample.pred_instances
    kept = torchvision.ops.nms(found.bboxes, found.scores, SAME_PLATE_IOU)
    sample = sample.clone()
    sample.pred_instances = found[kept]
    return sample
