"""Check that all parts of the plugin work on a GPU, and write a table of the results."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmdet_cleargrasp.cli.arguments import at_least
from mmdet_cleargrasp.cli.command import command
from mmdet_cleargrasp.utils.config_paths import config_dir

from ..__main__ import image_size
from .running import Check, Row, Setting, run_checks

CHECKS = ('operators', 'backbones', 'arms', 'amp', 'cache', 'resume', 'processes', 'infer',
          'memory', 'benchmark')  # fmt: skip
BACKBONES = ('ClearGraspResNet 50', 'ClearGraspResNet 101, dense', 'ClearGraspDRN D-54', 'AlexNet',
             'TimmBackbone tf_efficientnet_lite2')  # fmt: skip
#: Image size, batch size and steps of the memory check, by kind of device.
SIZES = {'cuda': (512, 4, 60), 'cpu': (96, 2, 12)}

EXAMPLES = f"""
examples:
  python -m benchmarks.gpu_check
  python -m benchmarks.gpu_check --checks arms amp --arms frcnn_cleargrasp_plates
  python -m benchmarks.gpu_check --device cpu

checks: {', '.join(CHECKS)}
CUDA_VISIBLE_DEVICES selects the GPU. Exit status: 0 all passed, 1 at least one failed.
"""


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    arms = sorted(path.stem for path in config_dir().glob('*.py'))
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.gpu_check', description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument('--device', choices=('cuda:0', 'cpu'), help='[a GPU if there is one]')
    parser.add_argument('--checks', nargs='+', choices=CHECKS, default=CHECKS, metavar='CHECK',
                        help='checks to run [all]')  # fmt: skip
    parser.add_argument('--arms', nargs='+', choices=arms, default=arms, metavar='CONFIG',
                        help='configs that the check arms trains [all]')  # fmt: skip
    parser.add_argument(
        '--size', type=image_size, help='side of the images in pixels [512; CPU: 96]'
    )
    parser.add_argument('--batch-size', type=at_least(1), help='images per step [4; CPU: 2]')
    parser.add_argument('--data-root', default='data/plates', metavar='DIR',
                        help='dataset [data/plates]')  # fmt: skip
    parser.add_argument('--out', default='work_dirs/gpu_check', metavar='DIR',
                        help='folder of the results [work_dirs/gpu_check]')  # fmt: skip
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks; returns the exit status."""
    args = make_parser().parse_args(argv)

    import torch
    from rich.console import Console

    from mmdet_cleargrasp.utils.errors import ConfigError

    from ..running import describe_machine

    device = args.device or ('cuda:0' if torch.cuda.is_available() else 'cpu')
    if device != 'cpu' and not torch.cuda.is_available():
        raise ConfigError(f'--device {device}: PyTorch finds no CUDA GPU; use --device cpu')
    if device == 'cpu':
        os.environ['CUDA_VISIBLE_DEVICES'] = ''  # a Runner uses a GPU if there is one
    machine = describe_machine(torch.device(device))
    size, batch_size, steps = SIZES[device.split(':')[0]]
    console, rows = Console(highlight=False, soft_wrap=True), []
    with tempfile.TemporaryDirectory(prefix='gpu_check_') as folder:
        setting = Setting(
            device=device,
            size=args.size or size,
            batch_size=args.batch_size or batch_size,
            steps=steps,
            data_root=Path(args.data_root),
            folder=Path(folder),
        )
        for row in run_checks(list_checks(args.checks, args.arms), setting):
            rows.append(row)
            console.print(describe(row), markup=False)
            paths = write(rows, machine, setting, Path(args.out))
    failed = sum(not row.passed for row in rows)
    seconds = sum(row.seconds for row in rows)
    console.print(f'\n{len(rows) - failed} of {len(rows)} passed in {seconds:.0f} s')
    for path in paths:
        console.print(f'wrote {path}', markup=False)
    return 1 if failed else 0


def list_checks(names: Sequence[str], arms: Sequence[str]) -> list[Check]:
    """List the checks to run, in the order of :data:`CHECKS`.

    Args:
        names: Some of :data:`CHECKS`.
        arms: Names of the configs for the check ``'arms'``.

    Example:
        >>> [check.name for check in list_checks(['cache'], [])]
        ['feature cache']
    """
    single = {
        'operators': Check('operators compared with the CPU', '.parity.operators'),
        'amp': Check('training with --amp', '.training.amp'),
        'cache': Check('feature cache', '.training.feature_cache'),
        'resume': Check('stopping and resuming', '.training.resuming'),
        'processes': Check('a process of torchrun', '.training.processes'),
        'infer': Check('tools/infer.py compared with the CPU', '.parity.inference'),
        'memory': Check('memory over many steps', '.training.memory'),
        'benchmark': Check('benchmark runs', '.speed.benchmark'),
    }
    several = {
        'backbones': [
            Check(f'{name} compared with the CPU', '.parity.backbone', name) for name in BACKBONES
        ],
        'arms': [Check(f'a step of {config}', '.training.arm', config) for config in arms],
    }
    return [
        check for name in CHECKS if name in names for check in several.get(name) or [single[name]]
    ]


def describe(row: Row) -> str:
    """Format the result of a check as a line of text.

    Args:
        row: Result of a check.

    Example:
        >>> describe(Row('feature cache', True, 'maps from disk are equal', 1.25, 812.3))
        'ok      feature cache: maps from disk are equal (1.2 s, 812 MB)'
    """
    state = 'ok' if row.passed else 'FAILED'
    return f'{state:7} {row.name}: {row.figure} ({row.seconds:.1f} s, {row.peak:.0f} MB)'


def write(rows: Sequence[Row], machine: dict[str, Any], setting: Setting, out: Path) -> list[Path]:
    """Write the results as Markdown and JSON.

    Args:
        rows: Results of the checks so far.
        machine: From :func:`.describe_machine`.
        setting: Setting of the checks.
        out: Folder, created if missing.

    Returns:
        Paths of ``gpu_check.md`` and ``gpu_check.json``.
    """
    out.mkdir(parents=True, exist_ok=True)
    facts = ', '.join(f'{name} {value}' for name, value in machine.items())
    lines = [
        f'{facts}; images of {setting.size} pixels, batches of {setting.batch_size}.', '',
        '| check | passed | figure | seconds | peak memory |', '| --- | --- | --- | --- | --- |',
        *(
            f'| {row.name} | {"yes" if row.passed else "**no**"} | {_cell(row.figure)} '
            f'| {row.seconds:.1f} | {row.peak:,.0f} MB |'
            for row in rows
        ),
        '',
    ]  # fmt: skip
    markdown, numbers = out / 'gpu_check.md', out / 'gpu_check.json'
    markdown.write_text('\n'.join(lines), encoding='utf-8')
    content = {'machine': machine, 'rows': [asdict(row) for row in rows]}
    numbers.write_text(json.dumps(content, indent=1), encoding='utf-8')
    return [markdown, numbers]


def _cell(text: str) -> str:
    return ' '.join(text.replace('|', '\\|').split())


if __name__ == '__main__':
    raise SystemExit(main())
