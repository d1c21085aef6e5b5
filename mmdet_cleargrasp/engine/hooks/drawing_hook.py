"""Drawing a test: the annotated boxes on the left, the answers on the right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.runner import Runner
from mmengine.structures import InstanceData

from ...datasets.images import read_image
from ...models.postprocessing import class_agnostic_nms
from ...visualization.boxes import add_caption, draw_boxes, label_text
from ...visualization.contact_sheets import save
from ...visualization.palette import class_color

#: Formats in which a picture is written under its image's own name.
WRITTEN_SUFFIXES = ('.jpg', '.jpeg', '.png', '.tif', '.tiff', '.bmp', '.webp')


@HOOKS.register_module()
class PlateVisualizationHook(DetVisualizationHook):
    """MMDetection's drawing hook, with the answers that ``tools/infer.py`` gives.

    MMDetection draws a box of each class on the same plate; here the best of them is drawn.
    Pictures go into ``test_out_dir`` within the work dir, where MMDetection makes a folder for
    every start, in the same folders as the images of the data set, so that equal names do not
    collide.

    Args:
        **kwargs: As in ``mmdet.engine.hooks.DetVisualizationHook``; ``tools/test.py`` sets
            ``score_thr`` to the working threshold of the checkpoint.
    """

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
            image = Path(sample.img_path)
            picture = self._picture(sample)
            if self.test_out_dir is not None:
                name = _name_in_data_set(image, runner)
                save(Path(runner.work_dir, self.test_out_dir, name), picture)
            if self.show:
                self._visualizer.show(picture, win_name=image.name, wait_time=self.wait_time)
            elif self.test_out_dir is None:
                self._visualizer.add_image('test_img', picture, self._test_index)

    def _picture(self, sample: DetDataSample) -> np.ndarray:
        """uint8 (H, W, 3), RGB."""
        image = read_image(sample.img_path)
        classes = (self._visualizer.dataset_meta or {}).get('classes') or ()
        found = sample.pred_instances
        found = found[class_agnostic_nms(found.bboxes, found.scores)]
        found = found[found.scores >= self.score_thr]
        answers = f'answers, score ≥ {self.score_thr:.2f}: {len(found)}'
        sides = [add_caption(_draw(image, found, classes), answers)]
        if 'gt_instances' in sample:
            truth = sample.gt_instances
            left = add_caption(_draw(image, truth, classes), f'annotated: {len(truth)}')
            sides.insert(0, left)
        return np.hstack(sides)


def _draw(image: np.ndarray, instances: InstanceData, classes: Sequence[str]) -> np.ndarray:
    labels = instances.labels.tolist()
    names = [classes[k] if k < len(classes) else f'class {k}' for k in labels]
    scores = instances.scores.tolist() if 'scores' in instances else [None] * len(labels)
    boxes = getattr(instances.bboxes, 'tensor', instances.bboxes).cpu().numpy()
    texts = [label_text(name, score) for name, score in zip(names, scores, strict=True)]
    return draw_boxes(image, boxes, texts, [class_color(k) for k in labels])


def _name_in_data_set(image: Path, runner: Runner) -> Path:
    """The folders and name that an image has within its data set, in a format that is written."""
    prefix = getattr(runner.test_dataloader.dataset, 'data_prefix', {}).get('img')
    folder = Path(prefix).absolute() if prefix else None
    name = Path(image.name)
    if folder is not None and image.absolute().is_relative_to(folder):
        name = image.absolute().relative_to(folder)
    written = name.suffix.lower() in WRITTEN_SUFFIXES
    return name if written else name.with_name(f'{name.name}.jpg')
