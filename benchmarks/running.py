"""Running of the whole benchmark."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import mmcv
import mmdet
import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from mmengine.runner import set_random_seed
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mmdet_cleargrasp.compat.cpu_memory import keep_freed_memory

from .groups import GROUPS, ON_PHOTOGRAPHS, applies, backbones
from .options import WORKS, Options
from .processes import START_UPS, MemoryUse, StartUp, measure_memory, measure_start_up
from .samples import Sample, load_samples, write_photographs
from .systems import System
from .timing import Timing, time_in_turns

#: Side of the square matrices whose product measures the peak performance of the machine.
PEAK_SIDE = 2048
PEAK_FLOP = 2 * PEAK_SIDE**3
#: Works of whole detectors, for which systems are timed in turns.
IN_TURNS = WORKS[:4]


@dataclass(frozen=True)
class BackboneRate:
    """Performance of a backbone relative to the peak of the machine.

    Attributes:
        network: Name of the network.
        computed: Name of the implementation.
        gflop: Multiplications and additions for the batch, in 1e9.
        peak: Peak performance in GFLOP/s: the fastest of a matrix product, a 1x1 convolution and a
            3x3 convolution, which use different libraries or kernels, in the same rounds.
        share: Performance relative to the peak, from 0 to 1.
        difference: Largest difference from the maps without folded batch norm, relative to the
            largest value.
    """

    network: str
    computed: str
    gflop: float
    peak: float
    share: float
    difference: float


@dataclass
class Results:
    """Results of the benchmark.

    Attributes:
        options: Options of the benchmark.
        machine: From :func:`describe_machine`.
        timings: Timings of all systems and works.
        backbones: Performance of the backbones.
        memory: Memory of each system's training.
        start_up: Start-up times of commands.
    """

    options: Options
    machine: dict[str, Any]
    timings: list[Timing] = field(default_factory=list)
    backbones: list[BackboneRate] = field(default_factory=list)
    memory: list[MemoryUse] = field(default_factory=list)
    start_up: list[StartUp] = field(default_factory=list)


def run_benchmark(options: Options, tick: Callable[[str], None]) -> Iterator[Results]:
    """Run the benchmark.

    Args:
        options: Options of the benchmark.
        tick: Called with a description after each system and round, for a progress bar.

    Yields:
        The results so far, after each part, so that an interruption loses one part only.

    Raises:
        DataError: The dataset is missing or has too few images.
    """
    torch.set_num_threads(options.threads)
    set_random_seed(options.seed)
    device = torch.device(options.device)
    if device.type == 'cpu':
        keep_freed_memory()  # as the command lines do; applies to all systems
    results = Results(options, describe_machine(device))
    count = max(options.batch_size, options.files)
    samples = load_samples(options.data_root, count, options.size)
    if 'backbone' in options.works:
        _time_backbones(results, samples[: options.batch_size], device, tick)
        yield results
    for group in options.groups:
        if _in_turns(options, group):
            results.timings += _time_group(options, group, samples, device, tick)
            yield results
    if 'start-up' in options.works:
        results.start_up = measure_start_up(options, tick)
        yield results
    if 'memory' in options.works:
        results.memory = measure_memory(options, tick)
        yield results


def count_ticks(options: Options) -> int:
    """Number of calls of ``tick`` in :func:`run_benchmark`, for a progress bar.

    Args:
        options: Options of the benchmark.
    """
    device = torch.device(options.device)
    count = START_UPS * ('start-up' in options.works)
    for group in options.groups:
        systems = len(GROUPS[group](options.size, device))
        works = _in_turns(options, group)
        count += systems * sum(options.rounds_of(work) + 1 for work in works)
        count += systems * ('memory' in options.works and applies(group, 'memory'))
    if 'backbone' in options.works:
        meta = torch.device('meta')
        calls = sum(len(calls) + len(_products(meta)) for calls in backbones(meta).values())
        count += calls * (options.rounds + 1)
    return count


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Processor, device and versions of libraries, on which the results depend.

    Args:
        device: Device of the benchmark.
    """
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


def _in_turns(options: Options, group: str) -> list[str]:
    return [work for work in IN_TURNS if work in options.works and applies(group, work)]


def _time_group(
    options: Options,
    group: str,
    samples: Sequence[Sample],
    device: torch.device,
    tick: Callable[[str], None],
) -> list[Timing]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [sample.path for sample in samples[: options.files]]
        if group in ON_PHOTOGRAPHS:
            paths = write_photographs(paths, Path(folder))
        return _time_systems(options, group, samples, paths, device, tick)


def _time_systems(
    options: Options,
    group: str,
    samples: Sequence[Sample],
    paths: Sequence[Path],
    device: torch.device,
    tick: Callable[[str], None],
) -> list[Timing]:
    batch, files = samples[: options.batch_size], samples[: options.files]

    def do(work: str, system: System) -> None:
        if work == 'train step':
            system.train_step(batch)
        elif work == 'predict':
            system.predict(batch[:1])
        elif work == 'predict files':
            system.predict_files(paths)
        else:
            system.train_epoch(files, options.batch_size, options.workers)

    systems = {name: make() for name, make in GROUPS[group](options.size, device).items()}
    timings = []
    for work in _in_turns(options, group):
        calls = {name: partial(do, work, system) for name, system in systems.items()}
        report = partial(tick, f'{group}: {work}')
        timings += time_in_turns(group, work, calls, options.rounds_of(work), device, report)
    for system in systems.values():
        system.close()
    return timings


def _time_backbones(
    results: Results, samples: Sequence[Sample], device: torch.device, tick: Callable[[str], None]
) -> None:
    images = np.stack([sample.image for sample in samples]).transpose(0, 3, 1, 2)
    x = torch.from_numpy(images.copy()).to(device).float() / 255
    products = _products(device)
    for network, functions in backbones(device).items():
        calls = {name: partial(function, x) for name, function in functions.items()}
        report = partial(tick, f'{network}: backbone')
        found = time_in_turns(
            network, 'backbone', {**calls, **products}, results.options.rounds, device, report
        )
        timings = found[: len(calls)]
        results.timings += timings
        peak = PEAK_FLOP / min(product.median for product in found[len(calls) :])
        expected = calls['batch norm not folded']()
        for timing in timings:
            with FlopCounterMode(display=False) as counter:
                maps = calls[timing.system]()
            flop = counter.get_total_flops()
            results.backbones.append(
                BackboneRate(
                    network,
                    timing.system,
                    flop / 1e9,
                    peak / 1e9,
                    flop / timing.median / peak,
                    _difference(maps, expected),
                )
            )


def _products(device: torch.device) -> dict[str, Callable[[], Tensor]]:
    """Operations that measure the peak performance, of about :data:`PEAK_FLOP` each."""
    left, right = (torch.rand(PEAK_SIDE, PEAK_SIDE, device=device) for _ in range(2))
    positions = left[None, :, :, None].contiguous(memory_format=torch.channels_last)
    maps = torch.rand(1, 256, 64, PEAK_FLOP // (2 * 9 * 256**2 * 64), device=device)
    maps, kernel = maps.contiguous(memory_format=torch.channels_last), torch.rand(256, 256, 3, 3)
    return {
        'matrix product': partial(torch.matmul, left, right),
        '1x1 convolution': partial(F.conv2d, positions, right[..., None, None]),
        '3x3 convolution': partial(F.conv2d, maps, kernel.to(device), padding=1),
    }


def _difference(maps: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Largest difference at the expected maps' positions, relative to the largest value."""
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
