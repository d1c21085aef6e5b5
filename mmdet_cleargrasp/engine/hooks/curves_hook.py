"""Curves of a run, drawn in its work dir after every validation."""

from __future__ import annotations

from pathlib import Path

from mmdet.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...utils.errors import UserError

#: Name of the picture in the work dir.
CURVES_FILE = 'curves.png'


@HOOKS.register_module()
class CurvesHook(Hook):
    """Draw losses, learning rate and mAP into ``WORK_DIR/curves.png`` after every validation.

    It draws from the log files, so that a resumed run has its whole history.
    """

    # After the hook that writes the logs.
    priority = 'VERY_LOW'

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Draw what has been logged so far."""
        self._draw(runner)

    def after_train(self, runner: Runner) -> None:
        """Draw the whole run."""
        self._draw(runner)

    @master_only
    def _draw(self, runner: Runner) -> None:
        from ...visualization.training_curves import draw_run  # imports matplotlib

        try:
            draw_run(runner.work_dir, Path(runner.work_dir) / CURVES_FILE)
        except (UserError, OSError) as error:  # a picture is no reason to lose a run
            runner.logger.warning(f'no curves drawn: {error}')
