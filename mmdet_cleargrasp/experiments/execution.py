"""One run: train, test, record."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from ..engine.resuming import best_checkpoint, last_saved_checkpoint
from ..evaluation.report_files import METRICS_FILE
from ..utils.atomic_files import write_json
from ..utils.config_paths import config_dir
from ..utils.errors import UserError
from ..utils.json_files import read_json_object
from ..utils.locks import lock_folder
from ..utils.regular_files import open_regular_file
from .jobs import Job

#: Written last: a run with this file is complete.
RECORD_FILE = 'record.json'
LOG_FILE = 'output.log'
#: Lines of a failed run's output that are shown.
TAIL = 12
FIGURES = ('AP', 'AP50', 'AP75', 'AR_100')


class RunError(UserError):
    """A run that ended with an error."""


def read_record(job: Job) -> dict[str, Any] | None:
    """Read the record of a run; ``None`` if it is not complete.

    Args:
        job: The run.
    """
    path = Path(job.folder) / RECORD_FILE
    return read_json_object(path) if path.is_file() else None


def state(job: Job) -> str:
    """Return the state of a run: ``'complete'``, ``'trained'``, ``'begun'`` or ``'to do'``.

    Args:
        job: The run.
    """
    if read_record(job):
        return 'complete'
    if _trained(job):
        return 'trained'
    return 'begun' if (Path(job.folder) / LOG_FILE).is_file() else 'to do'


def execute(job: Job, watch: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Train and test, resuming an interrupted run.

    Args:
        job: Whose files :func:`.write_plan` has written.
        watch: Called about once per second.

    Returns:
        The record.

    Raises:
        RunError: Training or a test failed; the message ends in its last lines.
        FolderInUseError: Another process runs it.
    """
    folder = Path(job.folder)
    with lock_folder(folder) as lock:
        record = read_record(job)
        if record:
            _remove_checkpoints(job, record['checkpoint'])  # had it been killed before that
            return record
        start = time.monotonic()
        # Also where the last checkpoint is there: its validation may have been interrupted.
        _run_tool('train', [job.train_config, '--resume'], folder, lock, watch)
        checkpoint = _find_checkpoint(job)
        tests = {}
        for name, config in job.test_configs.items():
            _run_tool('test', [config, str(checkpoint)], folder, lock, watch)
            metrics = read_json_object(folder / 'test' / name / METRICS_FILE)
            tests[name] = {key: metrics['coco'][key] for key in FIGURES}
            tests[name]['F1'] = metrics['answers']['f1']
        record = {
            **{key: getattr(job, key) for key in ('experiment', 'arm', 'fraction', 'seed')},
            **{key: getattr(job, key) for key in ('images', 'epochs', 'steps', 'digest')},
            'checkpoint': checkpoint.name,
            'seconds': round(time.monotonic() - start, 1),
            'tests': tests,
        }
        write_json(folder / RECORD_FILE, record)
        _remove_checkpoints(job, checkpoint.name)
        return record


def steps_done(job: Job) -> int:
    """Training steps that a run has logged.

    Args:
        job: The run.
    """
    if _trained(job):
        return job.steps
    logs = sorted(Path(job.folder).glob('*/vis_data/scalars.json'))
    for line in reversed(logs[-1].read_text(encoding='utf-8').splitlines() if logs else []):
        with contextlib.suppress(ValueError):  # a line that is being written
            entry = json.loads(line)
            if 'iter' in entry:
                return min(entry['step'], job.steps)
    return 0


def _run_tool(
    tool: str,
    arguments: Sequence[str],
    folder: Path,
    lock: IO[str],
    watch: Callable[[], None],
) -> None:
    script = config_dir().parent / 'tools' / f'{tool}.py'
    command = [sys.executable, str(script), *arguments, '--work-dir', str(folder)]
    log = folder / LOG_FILE
    with open_regular_file(log) as output:
        output.write(f'\n$ {" ".join(command)}\n')
        output.flush()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # If this process is killed and the other one continues, that one holds the lock.
            pass_fds=[lock.fileno()],
        )
    try:
        code = None
        while code is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=1)
            watch()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if code:
        lines = log.read_text(encoding='utf-8', errors='replace').splitlines()
        tail = '\n'.join(f'  | {line}' for line in lines[-TAIL:])
        raise RunError(f'tools/{tool}.py ended with status {code}; the end of {log}:\n{tail}')


def _trained(job: Job) -> bool:
    # It is written after the checkpoint.
    latest = last_saved_checkpoint(Path(job.folder))
    return latest is not None and latest.name == f'epoch_{job.epochs}.pth'


def _find_checkpoint(job: Job) -> Path:
    folder = Path(job.folder)
    best = best_checkpoint(folder)
    # If no validation had detections, there is no best checkpoint.
    return best if job.checkpoint == 'best' and best else folder / f'epoch_{job.epochs}.pth'


def _remove_checkpoints(job: Job, tested: str) -> None:
    if job.keep == 'all':
        return
    for path in Path(job.folder).glob('*.pth'):
        if job.keep == 'none' or path.name != tested:
            path.unlink()
