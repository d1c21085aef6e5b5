"""Running checks one after another, so that one that fails or dies leaves the others alone."""

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

#: Characters of a failed check's output that its row shows.
PRINTED = 500


@dataclass(frozen=True)
class Setting:
    """What all checks work with.

    Attributes:
        device: That is checked, such as ``'cuda:0'``.
        size: Side of the images in pixels.
        batch_size: Images per step.
        steps: Training steps over which memory must not grow.
        data_root: COCO-format data with ``annotations/train.json``.
        folder: For files; removed at the end.
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
    """Something to check.

    Attributes:
        name: For people.
        function: Module and name of a function, as in ``'.parity.operators'``. It takes a
            :class:`Setting` and ``argument``, returns its figure as a text, and raises where the
            check fails.
        argument: Such as the config.
    """

    name: str
    function: str
    argument: str = ''


@dataclass(frozen=True)
class Row:
    """What a check gave.

    Attributes:
        name: Of the check.
        passed: Whether it passed.
        figure: What it found, or why it failed.
        seconds: How long it took.
        peak: MB of the GPU, or of the process on a CPU, at most; 0 where unknown.
    """

    name: str
    passed: bool
    figure: str
    seconds: float
    peak: float


class CheckError(Exception):
    """A check that failed; the message says what was found and what was expected."""


def run_checks(checks: Sequence[Check], setting: Setting) -> Iterator[Row]:
    """Run checks in a process beside this one.

    A check that fails ends its process, since a GPU's errors stay with the process that caused
    them; the next check starts a new one.

    Args:
        checks: In their order.
        setting: Of all.

    Yields:
        One row per check, as soon as it is finished.
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
    """Run a check in this process.

    Args:
        check: What to run.
        setting: Of all.
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
    with contextlib.suppress(OSError):  # Linux: the peak of the process
        Path('/proc/self/clear_refs').write_text('5')
