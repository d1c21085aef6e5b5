"""Hooks that export the backbone and draw images during pretraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
from mmdet.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.checkpoint import weights_to_cpu
from torch import nn

from ..checkpoints.writing import save_atomically
from .pictures import draw_rows
from .tasks import CHANNELS

BACKBONE_FILE = 'backbone.pth'
PICTURES_FOLDER = 'pictures'
NOTE = 'pretrained with mmdet_cleargrasp; not a ClearGrasp release'


@HOOKS.register_module()
class BackboneFileHook(Hook):
    """Write the network in ClearGrasp's layout after every validation.

    The file holds ``model_state_dict`` with ``backbone.``, ``aspp.``, ``decoder.`` and ``heads.``,
    the epoch and the figures: what a detector's ``ClearGraspCheckpoint`` reads. Where an
    ``EMAHook`` averages the weights, the averages are written, which are those that were validated.

    Args:
        note: Kept in the file, to say what it is and what it is not.
    """

    # Before EMAHook puts the trained weights back.
    priority = 'HIGH'

    def __init__(self, note: str = NOTE) -> None:
        self.note = note

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write ``WORK_DIR/backbone.pth``."""
        model = unwrapped(runner.model)
        backbone: Any = model.backbone
        content = {
            'model_state_dict': _without_teacher(weights_to_cpu(model.state_dict())),
            'trained_stride': backbone.out_strides[-1],
            'epoch': runner.epoch,
            'iter': runner.iter,
            'metrics': {name: float(value) for name, value in (metrics or {}).items()},
            'note': self.note,
        }
        save_atomically(content, Path(runner.work_dir) / BACKBONE_FILE)


@HOOKS.register_module()
class PicturesHook(Hook):
    """Draw input, predictions and truth of the first validation images, epoch by epoch.

    Args:
        images: How many, from 1 on.
    """

    priority = 'LOW'

    def __init__(self, images: int = 8) -> None:
        self.images = images
        self._rows: list[tuple[Any, Any, Any]] = []

    def before_val_epoch(self, runner: Runner) -> None:
        """Reset."""
        self._rows = []

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """Keep what is drawn."""
        batch = data_batch or {}
        for index, predicted in enumerate(outputs or []):
            if len(self._rows) < self.images:
                truth = {t: batch[t][index] for t in CHANNELS if t in batch}
                self._rows.append((batch['inputs'][index], predicted, truth))

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write ``WORK_DIR/pictures/EPOCH.png``."""
        folder = Path(runner.work_dir) / PICTURES_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        picture = draw_rows(*zip(*self._rows, strict=True))
        if not cv2.imwrite(str(folder / f'epoch_{runner.epoch:03d}.png'), picture):
            runner.logger.warning(f'cannot write pictures to {folder}')


def _without_teacher(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the teacher of a distillation."""
    return {name: t for name, t in tensors.items() if not name.startswith('teacher.')}


def unwrapped(model: nn.Module) -> nn.Module:
    """A model without the wrapper of distributed training."""
    return model.get_submodule('module') if is_model_wrapper(model) else model
