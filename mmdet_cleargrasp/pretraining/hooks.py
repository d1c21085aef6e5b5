"""Hooks that save the network and draw predictions during pretraining."""

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
from .network import PARTS
from .pictures import draw_rows
from .tasks import CHANNELS

BACKBONE_FILE = 'backbone.pth'
PICTURES_FOLDER = 'pictures'
NOTE = 'pretrained with mmdet_cleargrasp; not a ClearGrasp release'


@HOOKS.register_module()
class BackboneFileHook(Hook):
    """Save the network as ``WORK_DIR/backbone.pth`` in ClearGrasp's layout after every validation.

    The file contains ``model_state_dict`` with the prefixes ``backbone.``, ``aspp.``, ``decoder.``
    and ``heads.``, the trained stride, the epoch, the iteration and the metrics. Detectors read it
    with ``init_cfg=dict(type='ClearGraspCheckpoint')``. With an ``EMAHook`` the averaged weights,
    which were validated, are saved.

    Args:
        note: Text that is saved in the file, to tell it from ClearGrasp's releases.

    Example:
        >>> custom_hooks = [dict(type='BackboneFileHook'), dict(type='PicturesHook', images=4)]
        >>> HOOKS.build(custom_hooks[0]).note
        'pretrained with mmdet_cleargrasp; not a ClearGrasp release'
    """

    # Runs before EMAHook, which swaps the trained weights back in after validation.
    priority = 'HIGH'

    def __init__(self, note: str = NOTE) -> None:
        self.note = note

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Save ``WORK_DIR/backbone.pth``."""
        model = unwrapped(runner.model)
        backbone: Any = model.backbone
        content = {
            'model_state_dict': _parts(weights_to_cpu(model.state_dict())),
            'trained_stride': backbone.out_strides[-1],
            'epoch': runner.epoch,
            'iter': runner.iter,
            'metrics': {name: float(value) for name, value in (metrics or {}).items()},
            'note': self.note,
        }
        save_atomically(content, Path(runner.work_dir) / BACKBONE_FILE)


@HOOKS.register_module()
class PicturesHook(Hook):
    """Draw the first validation images with predictions and ground truth after every validation.

    Writes ``WORK_DIR/pictures/epoch_NNN.png``.

    Args:
        images: Number of images, 1 or more.
    """

    priority = 'LOW'

    def __init__(self, images: int = 8) -> None:
        self.images = images
        self._rows: list[tuple[Any, Any, Any]] = []

    def before_val_epoch(self, runner: Runner) -> None:
        """Forget the images of the validation before."""
        self._rows = []

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        """Collect images, predictions and ground truth of a batch."""
        batch = data_batch or {}
        for index, predicted in enumerate(outputs or []):
            if len(self._rows) < self.images:
                truth = {t: batch[t][index] for t in CHANNELS if t in batch}
                self._rows.append((batch['inputs'][index], predicted, truth))

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write ``WORK_DIR/pictures/epoch_NNN.png``."""
        folder = Path(runner.work_dir) / PICTURES_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        picture = draw_rows(*zip(*self._rows, strict=True))
        if not cv2.imwrite(str(folder / f'epoch_{runner.epoch:03d}.png'), picture):
            runner.logger.warning(f'cannot write pictures to {folder}')


def _parts(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what is for training alone, such as a teacher and the projections to its maps."""
    return {name: tensor for name, tensor in tensors.items() if name.split('.')[0] in PARTS}


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model without its wrapper for distributed training, if it has one.

    Args:
        model: Model or wrapper, such as ``MMDistributedDataParallel``.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> unwrapped(model) is model
        True
    """
    return model.get_submodule('module') if is_model_wrapper(model) else model
