"""The validation that an interruption prevented."""

from __future__ import annotations

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner


@HOOKS.register_module()
class MissedValidationHook(Hook):
    """Validate first, where a run resumes from the end of an epoch.

    An epoch's checkpoint is written before its validation. A run that is stopped between them would
    continue with the next epoch, or, after the last one, end without a score and a best checkpoint.
    Where the validation had been done, it is repeated and gives the same.
    """

    # After the hook that keeps the best checkpoint is initialized.
    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Run the validation that belongs to the checkpoint's epoch."""
        loop, epoch = runner.train_loop, runner.epoch
        if not runner._resume or runner.val_loop is None or not epoch:
            return
        at_its_end = runner.iter == epoch * len(loop.dataloader)
        due = epoch % loop.val_interval == 0 or epoch >= loop.max_epochs
        if at_its_end and due and epoch >= loop.val_begin:
            runner.val_loop.run()
