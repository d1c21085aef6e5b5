"""The lines that a run shows while it trains or tests."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, TextIO

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ..console import duration, quiet
from .step_time import MEASURED_STEPS, SKIPPED_STEPS, step_seconds

#: Figures of a validation that are shown, by their names in the log.
SHOWN = {
    'coco/bbox_mAP': 'AP',
    'coco/bbox_mAP_50': 'AP50',
    'answers/precision': 'precision',
    'answers/recall': 'recall',
    'pretrain/score': 'score',
}
#: Seconds between lines where they cannot be overwritten, as in a batch job's output.
LINE_EVERY = 60


@contextlib.contextmanager
def showing_progress(runner: Runner, *, verbose: bool = False) -> Iterator[TextIO]:
    """Show progress on the console instead of the log.

    Args:
        runner: Trains or tests inside this context.
        verbose: Leave the log on the console, without a progress beside it.

    Yields:
        The console.
    """
    with quiet(runner.logger, verbose=verbose) as console:
        if verbose:
            yield console
            return
        hook = ProgressHook(console)
        runner.register_hook(hook)
        try:
            yield console
        finally:
            hook.close()


class ProgressHook(Hook):
    """A live line with the time left, and a line for each validation.

    Where the output is no terminal, the live line becomes a line a minute.

    Args:
        stream: The console.
    """

    # After the hook that keeps the best checkpoint.
    priority = 'LOWEST'

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._live = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            TextColumn('{task.fields[left]}'),
            console=self._console,
            auto_refresh=False,  # no thread beside loaders that fork
            transient=True,
            redirect_stdout=False,  # what libraries print goes to the log
            redirect_stderr=False,
        )
        self._shown = is_main_process()
        self._task = self._live.add_task('', left='')
        self._started = self._last_line = 0.0
        self._first_iter = 0

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self._started = self._last_line = time.monotonic()
        self._first_iter = runner.iter
        self._start()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Show the step."""
        done = runner.iter + 1 - self._first_iter
        step = step_seconds(runner, done)
        if step and done == SKIPPED_STEPS + MEASURED_STEPS:
            steps = runner.max_iters - self._first_iter
            self._print(f'about {duration(step * steps)} for {steps} steps, and the validations')
        epoch = f'epoch {runner.epoch + 1} of {runner.max_epochs}, loss {_loss(runner):.3f}'
        self._show(epoch, runner.iter + 1, runner.max_iters, self._left(runner))
        if not self._console.is_terminal and time.monotonic() - self._last_line >= LINE_EVERY:
            self._last_line = time.monotonic()
            position = f'step {runner.iter + 1} of {runner.max_iters}'
            self._print(f'{epoch}, {position}, {self._left(runner)}')

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Show how far validation is."""
        self._show('validation', batch_idx + 1, len(runner.val_dataloader), '')

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Print the figures."""
        metrics = metrics or {}
        names = [name for name in SHOWN if name in metrics] or list(metrics)[:3]
        figures = '  '.join(f'{SHOWN.get(name, name)} {metrics[name]:.3f}' for name in names)
        best = runner.message_hub.get_info('best_score') if _has_best(runner) else None
        is_best = best is not None and any(best == value for value in metrics.values())
        self._print(
            f'epoch {runner.epoch} of {runner.max_epochs}: {figures}  loss {_loss(runner):.3f}, '
            f'{self._left(runner)}{"  (best so far)" if is_best else ""}'
        )

    def close(self) -> None:
        """Remove the live line."""
        self._live.stop()

    def before_test(self, runner: Runner) -> None:
        """Start the live line."""
        self._start()

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Show how far the test is."""
        self._show('test', batch_idx + 1, len(runner.test_dataloader), '')

    def _left(self, runner: Runner) -> str:
        done, left = runner.iter + 1 - self._first_iter, runner.max_iters - runner.iter - 1
        if done <= SKIPPED_STEPS or left <= 0:
            return 'done' if left <= 0 else ''
        return f'{duration((time.monotonic() - self._started) / done * left)} left'

    def _start(self) -> None:
        if self._shown and self._console.is_terminal:
            self._live.start()

    def _show(self, what: str, done: int, total: int, left: str) -> None:
        if self._live.live.is_started:
            self._live.update(
                self._task, description=what, completed=done, total=total, left=left, refresh=True
            )

    def _print(self, line: str) -> None:
        if self._shown:
            self._console.print(line)


def _has_best(runner: Runner) -> bool:
    return 'best_score' in runner.message_hub.runtime_info


def _loss(runner: Runner) -> float:
    scalars = runner.message_hub.log_scalars
    return float(scalars['train/loss'].mean(10)) if 'train/loss' in scalars else float('nan')
