"""The whole benchmark: every group, every work, every system."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from .groups import GROUPS, OURS, backbones
from .processes import MemoryUse, StartUp, measure_memory, measure_start_up
from .samples import Sample, load_samples
from .systems import System
from .timing import Timing, time_in_turns

#: Side of the matrices whose product tells what the machine can do.
PEAK_SIDE = 2048
WORKS = ('train step', 'predict', 'predict files', 'epoch', 'backbone', 'memory', 'start-up')


@dataclass(frozen=True)
class Options:
    """What is measured, and how.

    Attributes:
        data_root (Path): COCO-format data with ``annotations/train.json``.
        groups (tuple[str, ...]): of :data:`.GROUPS`.
        works (tuple[str, ...]): of :data:`WORKS`.
        size (int): side of the images in pixels.
        batch_size (int): images a step.
        rounds (int): that count.
        files (int): image files that are predicted, and trained on in an epoch.
        workers (int): processes that read in an epoch.
        threads (int): of torch, for all systems.
        device (str): such as ``'cpu'`` or ``'cuda:0'``.
        seed (int): of weights and order.
    """

    data_root: Path
    groups: tuple[str, ...] = tuple(GROUPS)
    works: tuple[str, ...] = WORKS
    size: int = 512
    batch_size: int = 2
    rounds: int = 5
    files: int = 8
    workers: int = 1
    threads: int = 2
    device: str = 'cpu'
    seed: int = 0


@dataclass
class Results:
    """What was measured.

    Attributes:
        options (Options): how.
        machine (dict[str, Any]): on what.
        timings (list[Timing]): of everything that was done in turns.
        backbones (list[dict[str, Any]]): share of the matrix product's rate, and differences.
        memory (list[MemoryUse]): of each system's training in a process of its own.
        start_up (list[StartUp]): of the command line.
    """

    options: Options
    machine: dict[str, Any]
    timings: list[Timing] = field(default_factory=list)
    backbones: list[dict[str, Any]] = field(default_factory=list)
    memory: list[MemoryUse] = field(default_factory=list)
    start_up: list[StartUp] = field(default_factory=list)


def run_benchmark(options: Options, tick: Callable[[str], None]) -> Iterator[Results]:
    """Measure everything that is asked for.

    Args:
        options (Options): what and how.
        tick (Callable[[str], None]): is told what is being done, once a system and round.

    Yields:
        Results: all so far, after each part, so that an interruption loses one part only.

    Raises:
        DataError: the data are not there or too few.
    """
    torch.set_num_threads(options.threads)
    seed_everything(options.seed)
    device = torch.device(options.device)
    results = Results(options, describe_machine(device))
    in_memory = load_samples(options.data_root, options.batch_size, options.size)
    on_disk = load_samples(options.data_root, options.files, options.size)
    if 'backbone' in options.works:
        _time_backbones(results, in_memory, device, tick)
        yield results
    for group in options.groups:
        works = _works(options, group, in_memory, on_disk)
        if not works:
            continue
        systems = [make() for make in GROUPS[group](options.size, device).values()]
        for work, call in works.items():
            calls = {system.name: _bound(call, system) for system in systems}
            rounds = options.rounds if work != 'epoch' else min(options.rounds, 2)
            results.timings += time_in_turns(
                group, work, calls, rounds, device, lambda w=work, g=group: tick(f'{g}: {w}')
            )
        for system in systems:
            system.close()
        del systems
        yield results
    if 'start-up' in options.works:
        results.start_up = measure_start_up(options, tick)
        yield results
    if 'memory' in options.works:
        results.memory = measure_memory(options, tick)
        yield results


def count_ticks(options: Options) -> int:
    """How often :func:`run_benchmark` will call ``tick``, for a progress bar.

    Args:
        options (Options): what and how.
    """
    count = 0
    for group in options.groups:
        systems = len(GROUPS[group](32, torch.device('meta'))) if group in GROUPS else 0
        for work in options.works:
            if work in ('train step', 'predict', 'predict files') and _applies(group, work):
                count += systems * (options.rounds + 1)
            elif work == 'epoch' and _applies(group, work):
                count += systems * (min(options.rounds, 2) + 1)
            elif work == 'memory' and group != 'levers':
                count += systems
    if 'backbone' in options.works:
        count += 7 * (options.rounds + 1)
    return count + 4 * ('start-up' in options.works)


def describe_machine(device: torch.device) -> dict[str, Any]:
    """What the figures depend on.

    Args:
        device (torch.device): that computes.
    """
    import mmcv
    import mmdet
    import torchvision

    return {
        'processor': _processor(),
        'cores': os.cpu_count(),
        'device': torch.cuda.get_device_name(device) if device.type == 'cuda' else 'cpu',
        'python': platform.python_version(),
        'torch': torch.__version__,
        'torchvision': torchvision.__version__,
        'mmdet': mmdet.__version__,
        'mmcv': mmcv.__version__,
    }


def seed_everything(seed: int) -> None:
    """Seed what draws weights, samples and order.

    Args:
        seed (int): of all of them.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _works(
    options: Options, group: str, in_memory: Sequence[Sample], on_disk: Sequence[Sample]
) -> dict[str, Callable[[System], None]]:
    paths = [sample.path for sample in on_disk]
    found = {
        'train step': lambda system: system.train_step(in_memory),
        'predict': lambda system: system.predict(in_memory[:1]),
        'predict files': lambda system: system.predict_files(paths),
        'epoch': lambda system: system.train_epoch(on_disk, options.batch_size, options.workers),
    }
    wanted = {work for work in options.works if _applies(group, work)}
    return {work: call for work, call in found.items() if work in wanted}


def _applies(group: str, work: str) -> bool:
    """Levers are timed in steps and predictions; the cache acts in training only."""
    limited = {'levers': ('train step', 'predict'), 'feature_cache': ('train step',)}
    return work in limited.get(group, WORKS)


def _bound(call: Callable[[System], None], system: System) -> Callable[[], None]:
    return lambda: call(system)


def _time_backbones(
    results: Results, samples: Sequence[Sample], device: torch.device, tick: Callable[[str], None]
) -> None:
    options = results.options
    images = np.stack([sample.image for sample in samples]).transpose(0, 3, 1, 2)
    x = torch.from_numpy(images.copy()).to(device).float() / 255
    left, right = (torch.rand(PEAK_SIDE, PEAK_SIDE, device=device) for _ in range(2))
    for group, calls in backbones(device).items():
        calls = {name: _bound_forward(call, x) for name, call in calls.items()}
        calls['matrix product'] = lambda: left @ right
        timings = time_in_turns(
            group, 'backbone', calls, options.rounds, device, lambda g=group: tick(f'{g}: backbone')
        )
        results.timings += timings
        peak = 2 * PEAK_SIDE**3 / timings[-1].median
        expected = calls['batch norm not folded']()
        for timing in timings[:-1]:
            call = calls[timing.system]
            with FlopCounterMode(display=False) as counter:
                maps = call()
            results.backbones.append(
                {
                    'group': group,
                    'system': timing.system,
                    'gflop': counter.get_total_flops() / 1e9,
                    'share of peak': counter.get_total_flops() / timing.median / peak,
                    'difference': _difference(maps, expected),
                }
            )
        results.backbones.append({'group': group, 'system': 'matrix product', 'gflops': peak / 1e9})


def _bound_forward(call: Callable, x: torch.Tensor) -> Callable:
    return lambda: call(x)


def _difference(maps: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> float:
    """The largest, over the largest value, where the expected maps have positions."""
    found = 0.0
    for ours, theirs in zip(maps, expected, strict=True):
        step = ours.shape[2] // theirs.shape[2]
        subsampled = ours[..., ::step, ::step]
        found = max(found, float((subsampled - theirs).abs().max() / theirs.abs().max()))
    return found


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(':')[1].strip() for line in lines if 'model name' in line), '')


__all__ = ['GROUPS', 'OURS', 'Options', 'Results', 'WORKS', 'count_ticks', 'run_benchmark']
