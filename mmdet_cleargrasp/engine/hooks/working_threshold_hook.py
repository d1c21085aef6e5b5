"""Storing the score threshold that validation found best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...evaluation.working_threshold import META_KEY, store_beside

PREFIX = 'answers/'


@HOOKS.register_module()
class WorkingThresholdHook(Hook):
    """Store the working threshold with the checkpoints that it was measured on.

    :class:`.PlateCocoMetric` measures it. It goes into the ``meta`` of checkpoints that are saved
    after validation, such as the best one; for an epoch's checkpoint, which is saved before its
    validation, it goes into a file beside it.
    """

    # Before the hook that saves the best checkpoint.
    priority = 'NORMAL'

    def __init__(self) -> None:
        self._figures: dict[str, float] = {}

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Forget the figures: the weights are about to change."""
        self._figures = {}

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Keep the figures of this validation."""
        self._figures = {
            name.removeprefix(PREFIX): float(value)
            for name, value in (metrics or {}).items()
            if name.startswith(PREFIX)
        }
        self._store_beside(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put the figures of the same weights into the checkpoint."""
        if self._figures:
            checkpoint['meta'][META_KEY] = dict(self._figures)

    @master_only
    def _store_beside(self, runner: Runner) -> None:
        checkpoint = Path(runner.work_dir) / f'epoch_{runner.epoch}.pth'
        if self._figures and checkpoint.is_file():
            store_beside(checkpoint, self._figures)
