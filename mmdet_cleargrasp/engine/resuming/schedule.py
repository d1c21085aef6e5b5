"""The learning rate schedule of a resumed run."""

from __future__ import annotations

import warnings
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

#: Attributes that hold a schedule's length.
LENGTHS = ('end', 'T_max', 'milestones', 'total_iters', 'step_size')


@HOOKS.register_module()
class ScheduleHook(Hook):
    """Use the schedule length of the config in a resumed run.

    mmengine's schedulers load their whole state from the checkpoint, the old length included, and
    compute each rate from the previous one: a run that is resumed for more epochs would keep its
    last, smallest learning rate. Where a length differs, the schedule is replayed from its start to
    the step at which the run resumes.
    """

    def __init__(self) -> None:
        self._stretched = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put the lengths of the run's schedulers into the states that they will load."""
        states = checkpoint.get('param_schedulers')
        if not isinstance(states, list) or not isinstance(runner.param_schedulers, list):
            return
        for scheduler, state in zip(runner.param_schedulers, states, strict=False):
            lengths = {key: vars(scheduler)[key] for key in LENGTHS if key in vars(scheduler)}
            self._stretched |= any(state.get(key) != value for key, value in lengths.items())
            state.update(lengths)

    def before_train(self, runner: Runner) -> None:
        """Replay the schedules up to the step at which the run resumes."""
        if not self._stretched or not runner._resume:
            return
        replay_schedules(runner, runner.iter)


def replay_schedules(runner: Runner, step: int) -> None:
    """Set the learning rates to those that the schedulers give at a step.

    Args:
        runner: Whose schedulers were built or changed in the middle of a run.
        step: The next one, counted from 0.
    """
    schedulers, steps = runner.param_schedulers, len(runner.train_dataloader)
    for scheduler in schedulers:
        scheduler.last_step = scheduler._global_step = -1
        for group in scheduler.optimizer.param_groups:
            group[scheduler.param_name] = group[f'initial_{scheduler.param_name}']
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that the optimizer made no step
        for passed in range(step + 1):
            for scheduler in schedulers:
                if not scheduler.by_epoch or passed % steps == 0:
                    scheduler.step()
