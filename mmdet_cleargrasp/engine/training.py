"""Training a detector: check, run, print where the results are."""

from __future__ import annotations

import contextlib
import errno
import signal
from collections.abc import Iterator
from pathlib import Path

from mmengine.dist import master_only
from mmengine.runner import Runner

from ..utils.atomic_files import NO_SPACE
from ..utils.errors import TrainingError
from .batch_size import use_largest_batch
from .checks import check_run, introduce, refuse_errors
from .hooks.curves_hook import CURVES_FILE
from .hooks.progress_hook import showing_progress
from .hooks.time_limit_hook import TimeLimitHook
from .resuming import best_checkpoint, latest_checkpoint
from .resuming.interruption import SIGNALS
from .run_plan import RunPlan
from .runner import build_runner, own_folder, safe_files

#: No space, read-only, not permitted.
WRITE_ERRORS = NO_SPACE | {errno.EROFS, errno.EACCES, errno.EPERM}


@safe_files()
def train(plan: RunPlan) -> None:
    """Check a run and train it.

    Args:
        plan: From :func:`.prepare`.

    Raises:
        ConfigError: The check found errors, or another run has the work dir; nothing was started.
    """
    if plan.largest_batch:  # before the check, which depends on it
        use_largest_batch(plan.cfg)
    findings = check_run(plan)
    refuse_errors(findings, plan.launcher)
    introduce(findings, plan.launcher)
    with own_folder(plan.work_dir, plan.launcher):
        runner = build_runner(plan.cfg, verbose=plan.verbose)
        run(runner, plan)
    _say_where(runner)


def run(runner: Runner, plan: RunPlan) -> None:
    """Train, and turn write errors into one message.

    Args:
        runner: Built.
        plan: Of the run.

    Raises:
        TrainingError: A checkpoint, log or picture could not be written.
    """
    try:
        with restored_signals(), showing_progress(runner, verbose=plan.verbose) as console:
            if plan.max_minutes:
                runner.register_hook(TimeLimitHook(plan.max_minutes, console))
            runner.train()
    except OSError as error:
        inside = Path(runner.work_dir).absolute() in Path(error.filename or '').absolute().parents
        if error.errno not in WRITE_ERRORS or (error.filename and not inside):
            raise
        latest = latest_checkpoint(runner.work_dir)
        raise TrainingError(
            f'{runner.work_dir} cannot be written to any more: {error.strerror}. '
            f'{f"{latest} is whole" if latest else "No checkpoint had been written"}; make room '
            'and continue with --resume.'
        ) from error


@contextlib.contextmanager
def restored_signals() -> Iterator[None]:
    """Put back the signal handlers that a run replaces, however it ends."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if handler is not None:  # not installed by Python
                signal.signal(number, handler)


@master_only
def _say_where(runner: Runner) -> None:
    work_dir = Path(runner.work_dir)
    best = best_checkpoint(work_dir)
    config = work_dir / Path(runner.cfg.filename).name
    if runner.train_loop.stop_training:
        print(f'\nstopped early after epoch {runner.epoch}: validation did not improve any more')
    print(f'\ntraining is complete; everything is in {work_dir}')
    print(f'  curves           {work_dir / CURVES_FILE}')
    print(f'  best checkpoint  {best or "none: validation found nothing yet"}')
    print(f'  last checkpoint  {latest_checkpoint(work_dir)}')
    print(f'next: python tools/test.py {config} {best or latest_checkpoint(work_dir)}')
