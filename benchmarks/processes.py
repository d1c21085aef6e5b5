"""Measurements in separate processes: peak memory, and start-up time of commands."""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmdet_cleargrasp.compat.cpu_memory import keep_freed_memory
from mmdet_cleargrasp.utils.config_paths import config_dir
from mmdet_cleargrasp.utils.errors import TrainingError

from .options import Options

#: Number of training steps of a measurement of memory.
STEPS = 8
#: Number of images of the annotation file whose reading is measured.
MANY_IMAGES = 100_000
#: Configs whose start of training is measured, and number of all start-ups.
CONFIGS = ('frcnn_cleargrasp_plates', 'retinanet_cleargrasp_plates')
START_UPS = len(CONFIGS) + 2


@dataclass(frozen=True)
class MemoryUse:
    """Memory of a training in a separate process.

    Attributes:
        group: Name of the group.
        system: Name of the system.
        peak: Peak memory of the process, libraries included, or of the GPU, in MB.
        growth: Growth of the peak from the second step to the last, in MB.
        seconds: Median duration of a step, from the third on, in seconds. Not comparable with
            :class:`.Timing`, since systems are measured one after another.
    """

    group: str
    system: str
    peak: float
    growth: float
    seconds: float


@dataclass(frozen=True)
class StartUp:
    """Start-up time of a command.

    Attributes:
        command: Description of the command.
        seconds: Duration until it ends or its first training step is done, in seconds.
        peak: Peak memory of the process in MB; 0 if not measured.
    """

    command: str
    seconds: float
    peak: float = 0.0


def measure_memory(options: Options, tick: Callable[[str], None]) -> list[MemoryUse]:
    """Measure the memory of a short training of each system in a separate process.

    Args:
        options: Options of the benchmark.
        tick: Called with a description after each system, for a progress bar.

    Raises:
        TrainingError: A process failed.
    """
    import torch

    from .groups import GROUPS, applies

    found = []
    for group in (group for group in options.groups if applies(group, 'memory')):
        for system in GROUPS[group](options.size, torch.device(options.device)):
            peaks, seconds = json.loads(
                _python(train_steps, group, system, options.size, options.batch_size,
                        options.data_root, options.threads, options.device)
            )  # fmt: skip
            growth = peaks[-1] - peaks[1]
            median = statistics.median(seconds[2:])
            found.append(MemoryUse(group, system, peaks[-1], growth, median))
            tick(f'{group}: memory')
    return found


def measure_start_up(options: Options, tick: Callable[[str], None]) -> list[StartUp]:
    """Measure the start-up time of commands, started as users do.

    Args:
        options: Options of the benchmark.
        tick: Called with a description after each command, for a progress bar.

    Raises:
        TrainingError: A process failed.
    """
    tools = config_dir().parent / 'tools'
    found = [_until_exit('tools/train.py --help', [str(tools / 'train.py'), '--help'])]
    tick('start-up')
    with tempfile.TemporaryDirectory() as work_dir:
        for name in CONFIGS:
            found.append(_until_first_step(name, tools / 'train.py', options, Path(work_dir)))
            tick('start-up')
    seconds, peak = json.loads(_python(read_annotations, MANY_IMAGES))
    found.append(StartUp(f'reading annotations of {MANY_IMAGES:,} images', seconds, peak))
    tick('start-up')
    return found


def train_steps(group: str, system: str, size: int, batch_size: int, data_root: str, threads: int,
                device: str) -> tuple[list[float], list[float]]:  # fmt: skip
    """Train a system for a few steps.

    Args:
        group: Name of the group.
        system: Name of the system.
        size: Side of the images in pixels.
        batch_size: Images per step.
        data_root: Dataset with ``annotations/train.json``.
        threads: Number of PyTorch's threads.
        device: Device, such as ``'cpu'``.

    Returns:
        Peak memory in MB after each step, and duration of each step in seconds.
    """
    import torch

    from .groups import GROUPS
    from .samples import load_samples
    from .timing import synchronize

    torch.set_num_threads(threads)
    where = torch.device(device)
    if where.type == 'cpu':
        keep_freed_memory()
    samples = load_samples(data_root, batch_size, size)
    trained = GROUPS[group](size, where)[system]()
    peaks, seconds = [], []
    for _ in range(STEPS):
        start = time.perf_counter()
        trained.train_step(samples)
        synchronize(where)
        seconds.append(time.perf_counter() - start)
        peaks.append(peak_memory(where.type))
    trained.close()
    return peaks, seconds


def read_annotations(images: int) -> tuple[float, float]:
    """Read an annotation file as training does.

    Args:
        images: Number of images in the file.

    Returns:
        Duration in seconds and peak memory in MB.
    """
    from mmdet.datasets import CocoDataset

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'many.json')
        entries = [
            {'id': i, 'file_name': f'{i:06}.jpg', 'width': 640, 'height': 480}
            for i in range(images)
        ]
        plates = [
            {'id': i, 'image_id': i, 'category_id': 1, 'bbox': [8, 8, 99, 99], 'area': 9801,
             'iscrowd': 0}
            for i in range(images)
        ]  # fmt: skip
        content = {'images': entries, 'annotations': plates,
                   'categories': [{'id': 1, 'name': 'petri_dish'}]}  # fmt: skip
        file.write_text(json.dumps(content))
        del content, entries, plates
        start = time.perf_counter()
        dataset = CocoDataset(
            ann_file=str(file),
            data_prefix={'img': folder},
            metainfo={'classes': ('petri_dish',)},
            pipeline=[],
        )
        assert len(dataset) == images
        return time.perf_counter() - start, peak_memory('cpu')


def peak_memory(device: str) -> float:
    """Peak memory of this process in MB.

    Args:
        device: ``'cpu'``, or a CUDA device, whose memory is returned then.
    """
    if device.startswith('cuda'):
        import torch

        return torch.cuda.max_memory_allocated(device) / 1e6
    status = Path('/proc/self/status')
    # On Linux ru_maxrss also includes the parent process.
    peak = re.search(r'VmHWM:\s+(\d+) kB', status.read_text()) if status.is_file() else None
    if peak:
        return int(peak[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _python(function: Callable, *arguments: object) -> str:
    """Call a function of this module in a new process, and return its result as JSON."""
    name = function.__name__
    call = ', '.join(repr(str(a) if isinstance(a, Path) else a) for a in arguments)
    code = (
        f'import json, mmdet_cleargrasp\nfrom {__name__} import {name}\n'
        f'found = {name}({call})\nprint()\nprint(json.dumps(found))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    if done.returncode:
        raise TrainingError(f'measuring {arguments} failed:\n{done.stderr[-2000:]}')
    return done.stdout.strip().splitlines()[-1]


def _until_exit(label: str, command: list[str]) -> StartUp:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], capture_output=True, check=True)
    return StartUp(label, time.perf_counter() - start)


def _until_first_step(config: str, tool: Path, options: Options, work_dir: Path) -> StartUp:
    """Start a training and stop it after its first step."""
    command = [
        sys.executable, str(tool), str(config_dir() / f'{config}.py'),
        '--data-root', str(options.data_root), '--work-dir', str(work_dir / config),
        '--epochs', '1', '--verbose', '--cfg-options', 'default_hooks.logger.interval=1',
    ]  # fmt: skip
    start = time.perf_counter()
    environment = {**os.environ, 'OMP_NUM_THREADS': str(options.threads)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    lines = []
    assert process.stdout is not None  # a pipe
    for line in process.stdout:
        lines.append(line)
        if 'Epoch(train)' in line:
            seconds = time.perf_counter() - start
            process.kill()
            process.wait()
            return StartUp(f'tools/train.py {config}, first step done', seconds)
    raise TrainingError(f'{config} ended before its first step:\n{"".join(lines)[-2000:]}')
