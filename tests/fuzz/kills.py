"""SIGKILL, SIGTERM and Ctrl-C at random moments of every long command, and a rerun after each.

Commands and the jobs of an experiment run in forked processes, which saves their imports. The
moment is drawn as a share of the processor time that a whole run takes, so that a busy machine is
no difference.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import IO, NoReturn

import torch
import yaml
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.datasets.toy_plates import CLASSES, write_toy_plates
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.evaluation.report_files import REPORT_FILES, check_report
from mmdet_cleargrasp.experiments import execution
from mmdet_cleargrasp.inference.journal import unfinished_shards
from mmdet_cleargrasp.models.backbones import ClearGraspResNet
from mmdet_cleargrasp.utils.errors import DataError
from tests.conftest import ROOT, TINY_CONFIG

from .runs import HANGING, Found

EPOCHS = 2
#: What infer writes, without the overview, which shows images of the start that finished.
INFERRED = ('detections.*', 'images.csv', 'labelme/*.json', 'overlays/*.jpg', 'crops/*.jpg')
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
#: Exit status of a command that a signal ended in order.
STOPPED = {signal.SIGTERM: 143, signal.SIGINT: 130}
SPEC = {
    'name': 'tiny', 'seed': 2, 'ground_truth': 'full',
    'image': {'width': 96, 'height': 72, 'samples': 2, 'depth': 8},
    'plates': {'petri_sizes': {60: 1}, 'square_sizes': {100: 1}, 'wells': {6: 1}},
    'scene': {'arrangements': {'scatter': 1}, 'plates': [2, 3], 'distractors': [1, 1]},
    'splits': {'train': {'images': 3}},
}  # fmt: skip


@dataclass
class Space:
    """Data, a config and two detectors that the commands work with."""

    folder: Path
    plates: Path = field(init=False)
    config: Path = field(init=False)
    detectors: list[Path] = field(init=False)

    def __post_init__(self) -> None:
        self.plates = write_toy_plates(self.folder / 'plates', train=6, val=3, size=96)
        backbone = self.folder / 'resnet18.pth'
        torch.manual_seed(18)
        state = ClearGraspResNet(18, frozen=False).state_dict()
        torch.save({'model_state_dict': {f'backbone.{k}': v for k, v in state.items()}}, backbone)
        base = str(ROOT / 'configs' / 'frcnn_cleargrasp_plates.py')
        written = self.folder / 'written.py'
        written.write_text(TINY_CONFIG.format(base=base, checkpoint=str(backbone)))
        self.config = self.folder / 'tiny.py'
        load_config(written).dump(self.config)
        self.detectors = [self._detector(seed) for seed in (0, 1)]
        (self.folder / 'render.yaml').write_text(yaml.safe_dump(SPEC))
        val = self.plates / 'annotations' / 'val.json'
        experiment = {
            'name': 'tiny', 'question': 'Is a run that was killed the same?', 'epochs': EPOCHS,
            'arms': {'plain': {'config': str(self.config), 'cfg_options': {}}}, 'seeds': [0],
            'data_root': str(self.plates),
            'tests': [{'annotations': str(val), 'images': str(self.plates / 'val')}],
        }  # fmt: skip
        (self.folder / 'experiment.yaml').write_text(yaml.safe_dump(experiment))

    def _detector(self, seed: int) -> Path:
        init_default_scope('mmdet')
        torch.manual_seed(seed)
        state = MODELS.build(load_config(self.config).model).state_dict()
        path = self.folder / f'detector_{seed}.pth'
        meta = {'dataset_meta': {'classes': CLASSES}, 'epoch': 1}
        torch.save({'state_dict': state, 'meta': meta}, path)
        return path


@dataclass(frozen=True)
class Command:
    """A long command.

    Attributes:
        tool: Module in ``mmdet_cleargrasp.cli``.
        arguments: For a space and an output.
        result: What a finished run wrote, in a form that can be compared.
        believed: Whether what a killed run left looks finished.
        success: Exit statuses.
        prepare: Called before the first start.
        elsewhere: A rerun writes to another place, as nothing is overwritten.
    """

    tool: str
    arguments: Callable[[Space, Path], Sequence[object]]
    result: Callable[[Path], object]
    believed: Callable[[Path], bool]
    success: tuple[int, ...] = (0,)
    prepare: Callable[[Space, Path], object] = lambda space, out: None
    elsewhere: bool = False


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(folder: Path, patterns: Iterable[str] = ('*',)) -> dict[str, str]:
    """Hashes of the files of a folder by their path."""
    files = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    return {str(path.relative_to(folder)): hash_of(path) for path in sorted(files)}


def weights(work_dir: Path) -> dict[str, str]:
    """Hashes of the trained tensors."""
    state = read_checkpoint(work_dir / f'epoch_{EPOCHS}.pth')['state_dict']
    return {
        name: hashlib.sha256(value.numpy().tobytes()).hexdigest() for name, value in state.items()
    }


def is_trained(work_dir: Path) -> bool:
    pointer = work_dir / 'last_checkpoint'
    return pointer.is_file() and pointer.read_text().endswith(f'epoch_{EPOCHS}.pth')


def report(work_dir: Path) -> dict[str, str]:
    """The files that count of a test's report, without the paths in them."""
    return {
        name: hash_of(work_dir / 'test' / 'val' / name)
        for name in REPORT_FILES
        if 'source' not in name
    }


def is_complete(work_dir: Path) -> bool:
    try:
        check_report(work_dir / 'test' / 'val')
    except DataError:
        return False
    return True


def old_report(space: Space, work_dir: Path) -> None:
    """A whole report on another detector, which the killed test replaces."""
    earlier = space.folder / 'earlier'
    if not earlier.exists():
        run = start('test', _test(space, earlier, detector=1), space.folder / 'earlier_run')
        if run.wait()[0]:
            raise Found(run.printed())
    shutil.copytree(earlier, work_dir)


def _train(space: Space, out: Path) -> list[object]:
    return [
        space.config,
        '--data-root',
        space.plates,
        '--work-dir',
        out,
        '--epochs',
        EPOCHS,
        '--resume',
    ]


def _test(space: Space, out: Path, detector: int = 0) -> list[object]:
    return [space.config, space.detectors[detector], '--data-root', space.plates, '--work-dir', out]


def _infer(space: Space, out: Path) -> list[object]:
    images = space.plates / 'train'
    return [
        space.config,
        space.detectors[0],
        images,
        '--out',
        out,
        '--crops',
        '--export',
        'labelme',
    ]


COMMANDS = {
    'train': Command('train', _train, weights, is_trained),
    'test': Command('test', _test, report, is_complete, prepare=old_report),
    'infer': Command(
        'infer', _infer, lambda out: tree(out, INFERRED),
        lambda out: (out / 'detections.csv').exists() and not unfinished_shards(out, 1)
        and (out / 'labelme').is_dir(),
    ),
    'to_coco': Command(
        'to_coco', lambda space, out: [space.folder / 'source', out],
        lambda out: tree(out, ['*.json', 'train/*', 'val/*']), Path.exists,
        prepare=lambda space, out: _source(space), success=(0, 3),
    ),
    'render': Command(
        'render_plates', lambda space, out: [space.folder / 'render.yaml', out],
        lambda out: tree(out, ['*.jpg', '*.png', '*.exr', 'records/*/*.json']),
        lambda out: len(list(out.glob('records/train/*.json'))) == 3
        and (out / 'annotations' / 'train.json').is_file()
        and len(json.loads((out / 'annotations' / 'train.json').read_text())['images']) == 3,
    ),
    'export': Command(
        'export', lambda space, out: [space.config, space.detectors[0], f'{out}.onnx'],
        lambda out: Path(f'{out}.onnx').stat().st_size, lambda out: Path(f'{out}.onnx').exists(),
        elsewhere=True,
    ),
    'experiment': Command(
        'run_experiment', lambda space, out: [space.folder / 'experiment.yaml', '--work-dir', out],
        lambda out: {
            str(path.relative_to(out)): json.loads(path.read_text())['tests']
            for path in out.rglob('record.json')
        },
        lambda out: any(out.rglob('record.json')),
    ),
}  # fmt: skip


def _source(space: Space) -> None:
    source = space.folder / 'source'
    if not source.exists():
        (source / 'annotations').mkdir(parents=True)
        shutil.copytree(space.plates / 'train', source / 'images')
        shutil.copy(space.plates / 'annotations' / 'train.json', source / 'annotations')


class Run:
    """A started command."""

    def __init__(self, pid: int, log: Path, temporary: Path) -> None:
        self.pid, self.log, self.temporary = pid, log, temporary
        self.ended: int | None = None
        self.seconds = 0.0

    def printed(self) -> str:
        return self.log.read_text(errors='replace')

    def poll(self) -> bool:
        """Whether it has ended."""
        if self.ended is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.ended = os.waitstatus_to_exitcode(status)
                self.seconds = usage.ru_utime + usage.ru_stime
        return self.ended is not None

    def used(self) -> float:
        """Seconds of processor time up to now, those of all its processes."""
        return sum(map(_used, processes_of(self.pid)))

    def wait(self) -> tuple[int, float]:
        """Exit status and processor time, once it has ended."""
        end = time.monotonic() + HANGING
        while not self.poll():
            if time.monotonic() > end:
                os.killpg(self.pid, signal.SIGKILL)
                raise Found(f'hangs: {self.printed()[-1000:]}')
            time.sleep(0.02)
        assert self.ended is not None
        return self.ended, self.seconds

    def survivors(self) -> list[int]:
        """Its processes that still run some time after it ended."""
        end = time.monotonic() + 60
        while (left := processes_of(self.pid)) and time.monotonic() < end:
            time.sleep(0.05)
        return left


def processes_of(group: int) -> list[int]:
    """Processes of a process group that are no zombies."""
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            fields = _fields(int(entry.name))
            if fields and int(fields[2]) == group and fields[0] != 'Z':
                found.append(int(entry.name))
    return found


def _fields(pid: int) -> list[str]:
    """What stands behind the name in ``/proc/PID/stat``."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return []


def _used(pid: int) -> float:
    fields = _fields(pid)
    return sum(map(int, fields[11:15])) / os.sysconf('SC_CLK_TCK') if fields else 0.0


def start(tool: str, arguments: Sequence[object], place: Path) -> Run:
    """Start a command in a forked process with a process group and temporary folder of its own."""
    shutil.rmtree(place, ignore_errors=True)
    temporary = place / 'tmp'
    temporary.mkdir(parents=True)
    log = place / 'log.txt'
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.environ |= {'TMPDIR': str(temporary), 'LOCAL_RANK': '0', 'OMP_NUM_THREADS': '1'}
        execution.subprocess = SimpleNamespace(**{**vars(subprocess), 'Popen': ForkedJob})
        _become(tool, arguments, os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644))
    return Run(pid, log, temporary)


def _become(tool: str, arguments: Sequence[object], output: int) -> NoReturn:
    """Run a command in this process, which was forked for it, and end with its status."""
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
        sys.stderr = open(2, 'w', closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        sys.argv = [tool]
        os.chdir(ROOT)
        module = importlib.import_module(f'mmdet_cleargrasp.cli.{tool}')
        status = module.main([str(argument) for argument in arguments])
    except BaseException:
        traceback.print_exc()
        status = 99
    sys.stdout.flush()
    os._exit(status)


class ForkedJob:
    """Stands in for ``subprocess.Popen`` of an experiment's jobs, which saves their imports."""

    def __init__(self, command: Sequence[str], *, stdout: IO[str], **_options: object) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _become(Path(command[1]).stem, command[2:], stdout.fileno())

    def poll(self) -> int | None:
        """The exit status, once it has ended."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float = HANGING) -> int:
        """The exit status."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired('job', timeout)
            time.sleep(0.02)
        assert self.returncode is not None
        return self.returncode

    def terminate(self) -> None:
        """Send SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)


def kill(run: Run, moment: float, number: int) -> bool:
    """Send a signal once so much processor time is used; whether it came before the end."""
    while run.used() < moment:
        if run.poll():
            return False
        time.sleep(0.01)
    if run.poll():
        return False
    # A scheduler and a terminal send theirs to all processes of a job, kill to one.
    send = os.killpg if number != signal.SIGTERM or run.pid % 2 else os.kill
    try:
        send(run.pid, number)
    except ProcessLookupError:
        return False
    return True


def leftovers(folder: Path) -> list[str]:
    """Drafts and locks of folders that were to be removed."""
    return [str(p.relative_to(folder)) for p in folder.rglob('*') if p.name.endswith('.partial')]


def fuzz_command(name: str, space: Space, *, seed: int, count: int, seconds: float) -> Counter[str]:
    """Kill a command so often, and run it again after each time.

    Args:
        name: Key of :data:`COMMANDS`.
        space: What it works with.
        seed: Of the moments and signals.
        count: Kills.
        seconds: No further kill after so many.

    Returns:
        How often each outcome was.

    Raises:
        Found: The first fault.
    """
    command, rng = COMMANDS[name], random.Random(f'{seed}/{name}')
    work = space.folder / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    whole, expected = _whole_run(command, space, work)
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + seconds
    number = kills = 0
    while kills < count and time.monotonic() < end:
        number += 1
        out = work / f'out_{number}'
        command.prepare(space, out)
        run = start(command.tool, command.arguments(space, out), work / 'run')
        sent = rng.choice(SIGNALS)
        if not kill(run, rng.uniform(0.01, 1.0) * whole, sent):
            run.wait()
            outcomes['ended before the signal'] += 1
            continue
        kills += 1
        status, _ = run.wait()
        what = f'{name}, kill {number} (--seed {seed}), {sent.name}'
        _check_stopped(what, command, space, run, sent, out, expected)
        outcomes[f'{sent.name}, {"ended in time" if status in command.success else "stopped"}'] += 1
        _run_again(what, command, space, work, out, expected)
        outcomes['reruns with the same result'] += 1
        shutil.rmtree(out, ignore_errors=True)
    return outcomes


def _whole_run(command: Command, space: Space, work: Path) -> tuple[float, object]:
    """Processor time and result of a run that nothing disturbs."""
    out = work / 'whole'
    command.prepare(space, out)
    run = start(command.tool, command.arguments(space, out), work / 'run')
    status, seconds = run.wait()
    if status not in command.success:
        raise Found(f'undisturbed: status {status}: {run.printed()[-1500:]}')
    return seconds, command.result(out)


def _check_stopped(
    what: str, command: Command, space: Space, run: Run, sent: int, out: Path, expected: object
) -> None:
    printed, (status, _) = run.printed(), run.wait()
    if 'Traceback' in printed:
        raise Found(f'{what}: {printed[-2500:]}')
    if sent != signal.SIGKILL and status not in (STOPPED[sent], *command.success):
        raise Found(f'{what}: status {status}: {printed[-1500:]}')
    if run.survivors():
        raise Found(f'{what}: processes {run.survivors()} live on')
    if sent != signal.SIGKILL and (left := [*leftovers(out.parent), *os.listdir(run.temporary)]):
        raise Found(f'{what}: left {left}')
    # Before a test has begun, the report on the other detector is there, and whole.
    allowed = [expected, *([report(space.folder / 'earlier')] if command.tool == 'test' else [])]
    if command.believed(out) and command.result(out) not in allowed:
        raise Found(f'{what}: half a result looks like a whole one in {out}')


def _run_again(
    what: str, command: Command, space: Space, work: Path, out: Path, expected: object
) -> None:
    """As a user would: the same command, with another output where nothing is overwritten."""
    again = out.with_name(f'{out.name}_again') if command.elsewhere else out
    arguments = list(command.arguments(space, again))
    if command.tool == 'to_coco' and again.exists():
        arguments.append('--overwrite')
    run = start(command.tool, arguments, work / 'run')
    status, _ = run.wait()
    printed = run.printed()
    if status not in command.success or 'Traceback' in printed:
        raise Found(f'{what}, rerun: status {status}: {printed[-2500:]}')
    if command.result(again) != expected:
        raise Found(f'{what}, rerun: another result in {again}')
    if left := [*leftovers(work), *os.listdir(run.temporary)]:
        raise Found(f'{what}, rerun: left {left}')
    if command.elsewhere:
        shutil.rmtree(again, ignore_errors=True)
