"""Running of checks one after another, so that a failure or a crash does not affect the others."""

from __future__ import annotations

import contextlib
import importlib
import io
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from mmdet_cleargrasp.utils.errors import Terminated

from ..processes import peak_memory

#: Number of characters of a failed check's output that are reported.
PRINTED = 500


@dataclass(frozen=True)
class Setting:
    """Setting that all checks share.

    Attributes:
        device: Device to check, such as ``'cuda:0'``.
        size: Side of the images in pixels.
        batch_size: Images per step.
        steps: Training steps of the check of memory.
        data_root: Dataset with ``annotations/train.json`` in COCO format.
        folder: Folder for temporary files.
    """

    device: str
    size: int
    batch_size: int
    steps: int
    data_root: Path
    folder: Path

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return self.device.startswith('cuda')


@dataclass(frozen=True)
class Check:
    """A check to run.

    Attributes:
        name: Description for the report.
        function: Module and name of the function, such as ``'.parity.operators'``. It takes a
            :class:`Setting` and ``argument``, returns its result as text, and raises an error if
            the check fails.
        argument: Second argument of the function, such as the name of a config.
    """

    name: str
    function: str
    argument: str = ''


@dataclass(frozen=True)
class Row:
    """Result of a check.

    Attributes:
        name: Description of the check.
        passed: Whether it passed.
        figure: Result, or the reason of the failure.
        seconds: Duration in seconds.
        peak: Peak memory of the GPU, or of the process on a CPU, in MB; 0 if unknown.
    """

    name: str
    passed: bool
    figure: str
    seconds: float
    peak: float


class CheckError(Exception):
    """A check failed; the message names what was found and what was expected."""


def run_checks(checks: Sequence[Check], setting: Setting) -> Iterator[Row]:
    """Run checks in a worker process.

    After a failed check a new process is started, since CUDA errors persist in a process.

    Args:
        checks: Checks in the order in which they are run.
        setting: Setting of all checks.

    Yields:
        The result of each check, as soon as it is finished.
    """
    waiting = list(checks)
    while waiting:
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as process:
            passed = True
            while waiting and passed:
                row = _run_in(process, waiting.pop(0), setting)
                passed = row.passed
                yield row


def run_check(check: Check, setting: Setting) -> Row:
    """Run a check in the current process.

    Args:
        check: Check to run.
        setting: Setting of all checks.

    Returns:
        The result; any error makes the check fail.
    """
    start = time.perf_counter()
    printed = io.StringIO()
    try:
        _reset_peak(setting)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            module, function = check.function.rsplit('.', 1)
            run = getattr(importlib.import_module(module, __package__), function)
            passed, figure = True, run(setting, check.argument)
    except (Exception, SystemExit, Terminated) as error:  # any error fails the check
        passed, figure = False, f'{type(error).__name__}: {error}'
        if isinstance(error, CheckError):
            figure = f'{error} {printed.getvalue()[-PRINTED:]}'.strip()
    return Row(check.name, passed, figure, time.perf_counter() - start, peak_memory(setting.device))


def _run_in(process: ProcessPoolExecutor, check: Check, setting: Setting) -> Row:
    start = time.perf_counter()
    try:
        return process.submit(run_check, check, setting).result()
    except BrokenProcessPool:
        return Row(check.name, False, 'its process died', time.perf_counter() - start, 0.0)


def _reset_peak(setting: Setting) -> None:
    if setting.on_gpu:
        import torch

        torch.cuda.init()
        torch.cuda.reset_peak_memory_stats(setting.device)
    with contextlib.suppress(OSError):  # resets the peak of the process on Linux
        Path('/proc/self/clear_refs').write_text('5')
