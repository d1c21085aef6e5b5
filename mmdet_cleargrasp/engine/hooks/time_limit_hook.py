"""As many epochs as fit a time limit."""

from __future__ import annotations

import math
import time
from typing import Any, TextIO

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..config_changes import set_epochs
from ..resuming.schedule import replay_schedules
from .step_time import MEASURED_STEPS, SKIPPED_STEPS, step_seconds

#: Share of the time that is used.
USED_SHARE = 0.95


class TimeLimitHook(Hook):
    """Fit the number of epochs to a time limit, and stretch the learning rate schedule to it.

    Epochs are counted by the speed of the first steps, and again after the first validation. There
    is at least one epoch. The clock starts with the hook.

    Args:
        minutes: The limit.
        stream: The console.
    """

    # Before the hook that shows the time left, after all that cost time.
    priority = 'VERY_LOW'

    def __init__(self, minutes: float, stream: TextIO) -> None:
        self.minutes = minutes
        self._stream = stream
        self._start = time.monotonic()
        self._first_iter = 0
        self._step_seconds: float | None = None
        self._validation_started = 0.0
        self._validated = False

    def before_train(self, runner: Runner) -> None:
        """Remember where the run starts."""
        self._first_iter = runner.iter

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Measure the first steps."""
        done = runner.iter + 1 - self._first_iter
        # At an epoch's end its schedulers are still to come.
        last_of_epoch = batch_idx + 1 == len(runner.train_dataloader)
        if done >= SKIPPED_STEPS + MEASURED_STEPS and not last_of_epoch:
            self._measure(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Measure with fewer steps, where an epoch has no more."""
        self._measure(runner, runner.iter)

    def before_val_epoch(self, runner: Runner) -> None:
        """Start to measure the validation."""
        self._validation_started = time.monotonic()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Estimate again with the duration of the first validation."""
        if self._step_seconds and not self._validated:
            self._validated = True
            taken = time.monotonic() - self._validation_started
            self._fit(runner, runner.iter, self._step_seconds, taken)

    def _measure(self, runner: Runner, step: int) -> None:
        if self._step_seconds:
            return
        self._step_seconds = step_seconds(runner, step - self._first_iter)
        if not self._step_seconds:
            return
        loader = runner.val_dataloader if runner.val_loop else []
        images = len(loader) * (getattr(loader, 'batch_size', 1) or 1)
        per_image = self._step_seconds / runner.train_dataloader.batch_size
        self._fit(runner, step, self._step_seconds, images * per_image)

    def _fit(
        self, runner: Runner, step: int, step_seconds: float, validation_seconds: float
    ) -> None:
        steps = len(runner.train_dataloader)
        done = step / steps
        left = self.minutes * 60 * USED_SHARE - (time.monotonic() - self._start)
        epoch = steps * step_seconds + validation_seconds / runner.train_loop.val_interval
        epochs = max(1, math.ceil(done), int(done + max(0.0, left) / epoch))
        agreed = [epochs]
        broadcast_object_list(agreed)  # processes measure different times
        if agreed[0] != runner.max_epochs:
            _set_length(runner, agreed[0], step)
            if is_main_process():
                print(f'--max-minutes {self.minutes:g}: {agreed[0]} epochs', file=self._stream)


def _set_length(runner: Runner, epochs: int, step: int) -> None:
    set_epochs(runner.cfg, epochs)
    loop = runner.train_loop
    loop._max_epochs, loop._max_iters = epochs, epochs * len(loop.dataloader)
    runner.param_schedulers = runner.build_param_scheduler(runner.cfg.param_scheduler)
    replay_schedules(runner, step)
    runner.dump_config()
