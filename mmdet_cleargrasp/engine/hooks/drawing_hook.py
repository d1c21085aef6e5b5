"""Drawing what a test finds: one box a plate, in colors that people tell apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.runner import Runner
from PIL import ImageColor

from ...models.postprocessing import class_agnostic_nms
from ...visualization.palette import CLASS_COLORS


@HOOKS.register_module()
class PlateVisualizationHook(DetVisualizationHook):
    """MMDetection's drawing hook, with what ``tools/infer.py`` would show in pictures of a test.

    The metrics count every class by itself, so that the same plate may well have a box as a dish
    and one as a multiwell plate. A picture of both says nothing: the better one is drawn. Pictures
    stand in ``test_out_dir`` within the work dir, where MMDetection makes a folder for every start.

    Args:
        **kwargs: As in ``mmdet.engine.hooks.DetVisualizationHook``.
    """

    def before_test(self, runner: Runner) -> None:
        """Choose the folder, and a color for each class unless the data set has its own."""
        if not self.draw:
            return
        if self.test_out_dir is not None:
            # An absolute path, which MMDetection takes as it is.
            self.test_out_dir = str(Path(runner.work_dir, self.test_out_dir).absolute())
        meta = self._visualizer.dataset_meta or {}
        # CocoDataset gives COCO's colors to whatever classes it is told.
        if meta.get('classes') and meta.get('palette') in (None, CocoDataset.METAINFO['palette']):
            colors = itertools.cycle(ImageColor.getrgb(color) for color in CLASS_COLORS)
            palette = list(itertools.islice(colors, len(meta['classes'])))
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
            outputs = [_with_answers(sample) for sample in outputs]
        super().after_test_iter(runner, batch_idx, data_batch, outputs)


def _with_answers(sample: DetDataSample) -> DetDataSample:
    found = sample.pred_instances
    sample = sample.clone()  # the metrics go on with all
    sample.pred_instances = found[class_agnostic_nms(found.bboxes, found.scores)]
    return sample
