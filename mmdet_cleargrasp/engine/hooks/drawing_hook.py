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

from ...datasets.images import read_image
from ...models.postprocessing import class_agnostic_nms
from ...visualization.palette import CLASS_COLORS

#: Formats in which a picture is written under its image's own name.
WRITTEN_SUFFIXES = ('.jpg', '.jpeg', '.png', '.tif', '.tiff', '.bmp', '.webp')


@HOOKS.register_module()
class PlateVisualizationHook(DetVisualizationHook):
    """MMDetection's drawing hook, with what ``tools/infer.py`` would show in pictures of a test.

    The metrics count every class by itself, so that the same plate may well have a box as a dish
    and one as a multiwell plate. A picture of both says nothing: the better one is drawn. Pictures
    stand in ``test_out_dir`` within the work dir, where MMDetection makes a folder for every start,
    in the same folders as the images of the data set, so that equal names do not collide.

    Args:
        **kwargs: As in ``mmdet.engine.hooks.DetVisualizationHook``.
    """

    def before_test(self, runner: Runner) -> None:
        """Choose the folder, and a color for each class unless the data set has its own."""
        if not self.draw:
            return
        self._img_dir = _image_dir(runner)
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
        for sample in outputs if self.draw else ():
            self._test_index += 1
            self._visualizer.add_datasample(
                'test_img',
                read_image(sample.img_path),
                data_sample=_with_answers(sample),
                show=self.show,
                wait_time=self.wait_time,
                pred_score_thr=self.score_thr,
                out_file=self._picture_file(Path(sample.img_path)),
                step=self._test_index,
            )

    def _picture_file(self, image: Path) -> str | None:
        """Where a picture goes: under the folders that the image has within its data set."""
        if self.test_out_dir is None:
            return None
        inside = self._img_dir is not None and image.absolute().is_relative_to(self._img_dir)
        name = image.absolute().relative_to(self._img_dir) if inside else Path(image.name)
        if name.suffix.lower() not in WRITTEN_SUFFIXES:
            name = name.with_name(f'{name.name}.jpg')
        file = Path(self.test_out_dir, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        return str(file)


def _image_dir(runner: Runner) -> Path | None:
    """The folder from which the tested data set names its images."""
    prefix = getattr(runner.test_dataloader.dataset, 'data_prefix', {}).get('img')
    return Path(prefix).absolute() if prefix else None


def _with_answers(sample: DetDataSample) -> DetDataSample:
    found = sample.pred_instances
    sample = sample.clone()  # the metrics go on with all
    sample.pred_instances = found[class_agnostic_nms(found.bboxes, found.scores)]
    return sample
