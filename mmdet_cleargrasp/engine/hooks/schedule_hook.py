"""The learning rate's schedule of a resumed run."""

from __future__ import annotations

from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

#: What a schedule's length is written in.
LENGTHS = ('end', 'T_max', 'milestones', 'total_iters')


@HOOKS.register_module()
class ScheduleHook(Hook):
    """Let a resumed run follow the length that its config gives the schedule now.

    mmengine's schedulers take their whole state from the checkpoint, the old length included: a
    run that is resumed to go on for longer would keep its last, smallest learning rate.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put the lengths of the run's schedulers into the states that they will load."""
        states = checkpoint.get('param_schedulers')
        if not isinstance(states, list) or not isinstance(runner.param_schedulers, list):
            return
        for scheduler, state in zip(runner.param_schedulers, states, strict=False):
            state.update({key: vars(scheduler)[key] for key in LENGTHS if key in vars(scheduler)})
