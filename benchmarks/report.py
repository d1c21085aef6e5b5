"""Reports of the benchmark: tables, JSON and a bar chart."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmdet_cleargrasp.utils.atomic_files import write_atomically, write_json
from mmdet_cleargrasp.visualization.palette import ARM_COLORS

from .options import Options
from .running import Results
from .timing import Timing

Rows = list[list[str]]


def print_tables(results: Results, console: Console) -> None:
    """Print the tables.

    Args:
        results: From :func:`.run_benchmark`.
        console: Console to print to.
    """
    for title, header, rows in _tables(results):
        table = Table(*map(escape, header), title=escape(title), title_justify='left')
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)


def write_report(results: Results, folder: str | Path) -> list[Path]:
    """Write ``benchmark.md``, ``benchmark.json`` and, if there are timings, ``benchmark.png``.

    Args:
        results: From :func:`.run_benchmark`.
        folder: Folder of the files, created if missing.

    Returns:
        Paths of the files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f'benchmark.{suffix}' for suffix in ('md', 'json', 'png')]
    sections = [_machine(results), *(_markdown(*table) for table in _tables(results))]
    write_atomically(files[0], '\n\n'.join(sections).encode() + b'\n')
    write_json(files[1], _as_dict(results))
    if results.timings:
        _draw(results, files[2])
    return files[: 3 if results.timings else 2]


def _tables(results: Results) -> list[tuple[str, list[str], Rows]]:
    found = []
    for group, timings in groupby(results.timings, lambda timing: timing.group):
        header = ['work', 'system', 'median', 'spread', 'times the first', 'images a second']
        rows = [_timing_row(timing, results.options) for timing in timings]
        found.append((group, header, rows))
    if results.backbones:
        header = ['network', 'computed', 'GFLOP', 'share of the peak', 'largest difference']
        rows = [
            [
                rate.network,
                rate.computed,
                f'{rate.gflop:.0f}',
                f'{rate.share:.0%} of {rate.peak:.0f} GFLOP/s',
                f'{rate.difference:.1e}',
            ]
            for rate in results.backbones
        ]
        found.append(('Backbones, relative to the peak of the machine', header, rows))
    if results.memory:
        rows = [
            [use.group, use.system, f'{use.peak:,.0f} MB', f'{use.growth:+,.0f} MB',
             _seconds(use.seconds)]
            for use in results.memory
        ]  # fmt: skip
        header = ['group', 'system', 'peak', 'growth from the 2nd step to the 8th', 'time per step']
        found.append(('Memory of training, in separate processes', header, rows))
    if results.start_up:
        rows = [
            [start.command, f'{start.seconds:.2f} s', f'{start.peak:,.0f} MB' if start.peak else '']
            for start in results.start_up
        ]
        found.append(('Start-up', ['what', 'time', 'peak memory'], rows))
    return found


def _timing_row(timing: Timing, options: Options) -> list[str]:
    return [
        timing.work,
        timing.system,
        _seconds(timing.median),
        f'± {timing.spread:.0%}',
        '' if timing.ratio == 1 else f'{timing.ratio:.2f}',
        f'{options.images_of(timing.work) / timing.median:.2f}',
    ]


def _seconds(value: float) -> str:
    return f'{value:.2f} s' if value >= 1 else f'{value * 1e3:.0f} ms'


def _machine(results: Results) -> str:
    options, machine = results.options, results.machine
    libraries = ', '.join(
        f'{name} {machine[name]}' for name in ('python', 'torch', 'torchvision', 'mmdet', 'mmcv')
    )
    return (
        f'Measured on {machine["processor"]}, {machine["cores"]} cores, {machine["device"]}; '
        f'{libraries}; {options.threads} threads, images of {options.size} pixels, batches of '
        f'{options.batch_size}, {options.rounds} rounds, seed {options.seed}.'
    )


def _markdown(title: str, header: list[str], rows: Rows) -> str:
    lines = [header, ['---'] * len(header), *rows]
    return f'**{title}**\n\n' + '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _as_dict(results: Results) -> dict[str, Any]:
    options = {**asdict(results.options), 'data_root': str(results.options.data_root)}
    return {
        'options': options,
        'machine': results.machine,
        'timings': [timing.as_dict() for timing in results.timings],
        'backbones': [asdict(rate) for rate in results.backbones],
        'memory': [asdict(use) for use in results.memory],
        'start_up': [asdict(start) for start in results.start_up],
    }


def _draw(results: Results, file: Path) -> None:
    """Draw one set of bars per group and work, relative to the first system's time."""
    keys = list(dict.fromkeys((t.group, t.work) for t in results.timings))
    figure = Figure(figsize=(8, 0.6 + 0.28 * len(results.timings) + 0.25 * len(keys)))
    axes = figure.subplots()
    position, ticks = 0.0, []
    for key in keys:
        bars = [t for t in results.timings if (t.group, t.work) == key]
        middle = position + (len(bars) - 1) / 2
        ticks.append((middle, f'{key[0]}\n{key[1]}'))
        for index, timing in enumerate(bars):
            color = ARM_COLORS[index % len(ARM_COLORS)]
            axes.barh(position, timing.ratio, color=color, height=0.8)
            label = f' {_seconds(timing.median)}  {timing.system}'
            axes.text(timing.ratio, position, label, va='center', fontsize=7)
            position += 1
        position += 0.8
    axes.set_yticks([middle for middle, _ in ticks], [label for _, label in ticks], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.35, y=0.01)
    axes.set_xlabel('time relative to the first system of each group (shorter is faster)')
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
    axes.axvline(1, color='0.4', linewidth=0.7)
    figure.savefig(file, dpi=130, bbox_inches='tight')
