"""Pictures of training batches and validation predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...evaluation.working_threshold import DEFAULT_THRESHOLD
from ...utils.errors import UserError
from ...visualization.contact_sheets import Drawing, chosen, page, save, tile
from ..samples import answer_drawings, class_names, training_drawing

#: Names of the pictures in the work dir.
TRAIN_FILE, VAL_FILE = 'train_batch.jpg', 'val_samples.jpg'
COLUMNS = 4
#: Pixels of an image on a picture, and of the gap beside it.
SIZE, GAP = 312, 8


@HOOKS.register_module()
class SamplePicturesHook(Hook):
    """Draw the first training images, and answers on validation images, into the work dir.

    ``train_batch.jpg`` has the images as the network is fed them, after augmentation, with their
    boxes. ``val_samples.jpg`` has ground truth and answers side by side, on the same images after
    every validation.

    Args:
        count: Images on each picture.
    """

    # After the hooks that change batches and before those that report.
    priority = 'VERY_LOW'

    def __init__(self, count: int = 8) -> None:
        self.count = count
        self._training: list[Drawing] = []
        self._drawn = False
        self._validation: list[tuple[torch.Tensor, DetDataSample]] = []
        self._wanted: set[int] = set()
        self._seen = 0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Collect the first images, before the model normalizes them."""
        if self._drawn or not is_main_process() or 'data_samples' not in (data_batch or {}):
            return  # not a detector's
        for inputs, sample in zip(data_batch['inputs'], data_batch['data_samples'], strict=True):
            if len(self._training) < self.count:
                packed = {'inputs': inputs, 'data_samples': sample}
                self._training.append(training_drawing(packed))
        if len(self._training) == self.count:
            self._draw_training(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw the images so far, if an epoch has fewer."""
        self._draw_training(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """Choose the images, spread evenly."""
        loader = runner.val_dataloader
        images = len(loader) * (getattr(loader, 'batch_size', 1) or 1)
        self._wanted, self._seen, self._validation = set(chosen(images, self.count)), 0, []

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[DetDataSample] | None = None,
    ) -> None:
        """Keep the answers on the chosen images."""
        for inputs, sample in zip(
            (data_batch or {}).get('inputs', ()), outputs or (), strict=False
        ):
            is_answer = isinstance(sample, DetDataSample) and 'pred_instances' in sample
            if is_answer and self._seen in self._wanted and is_main_process():
                self._validation.append((inputs, sample))
            self._seen += 1

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Draw them at the score threshold that this validation found best."""
        threshold = (metrics or {}).get('answers/threshold', DEFAULT_THRESHOLD)
        drawings = [
            drawing
            for inputs, sample in self._validation
            for drawing in answer_drawings(inputs, sample, threshold)
        ]
        self._validation = []
        _save(runner, VAL_FILE, drawings, runner.val_dataloader.dataset)

    def _draw_training(self, runner: Runner) -> None:
        if not self._drawn:
            _save(runner, TRAIN_FILE, self._training, runner.train_dataloader.dataset)
        self._drawn, self._training = True, []


def _save(runner: Runner, name: str, drawings: Sequence[Drawing], dataset: Any) -> None:
    if not drawings:
        return
    classes = class_names(dataset, drawings)
    try:
        gap = ((0, GAP), (0, GAP), (0, 0))
        tiles = [
            np.pad(tile(drawing, classes, SIZE), gap, constant_values=255) for drawing in drawings
        ]
        save(Path(runner.work_dir) / name, page(tiles, COLUMNS))
    except (UserError, OSError) as error:  # a picture is no reason to lose a run
        runner.logger.warning(f'{name} was not drawn: {error}')
