"""Compare the speed of this plugin's detectors with torchvision's and MMDetection's."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.options import WORKS, Options
from mmdet_cleargrasp.cli.arguments import at_least
from mmdet_cleargrasp.cli.command import command

GROUPS = (
    'frcnn_r101', 'frcnn_r50', 'retinanet_r50', 'frcnn_r50_runtimes', 'retinanet_r50_runtimes',
    'shipped_detector', 'levers', 'retinanet_levers', 'allocator', 'feature_cache',
)  # fmt: skip

EXAMPLES = f"""
examples:
  python -m benchmarks
  python -m benchmarks --groups frcnn_r50 --works 'train step' --rounds 3
  python -m benchmarks --device cuda:0 --batch-size 8

groups: {', '.join(GROUPS)}
works:  {', '.join(WORKS)}
See docs/performance.md.
"""


def image_size(text: str) -> int:
    """Argument type: side of square images, a multiple of 32 pixels, 64 or more.

    Args:
        text: Text of the argument.

    Raises:
        ArgumentTypeError: The text is another number or not a number.

    Example:
        >>> image_size('512')
        512
    """
    size = at_least(64)(text)
    if size % 32:
        raise argparse.ArgumentTypeError(f'{text}: expected a multiple of 32, 64 or more')
    return size


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data-root', default='data/plates', metavar='DIR',
                        help='dataset [data/plates]')  # fmt: skip
    parser.add_argument('--groups', nargs='+', choices=GROUPS, default=GROUPS, metavar='GROUP',
                        help='groups of systems to compare [all]')  # fmt: skip
    parser.add_argument('--works', nargs='+', choices=WORKS, default=WORKS, metavar='WORK',
                        help='what is measured [all]')  # fmt: skip
    parser.add_argument(
        '--size', type=image_size, default=512, help='side of the images in pixels [512]'
    )
    parser.add_argument('--batch-size', type=at_least(1), default=2, help='images per step [2]')
    parser.add_argument('--rounds', type=at_least(1), default=5, help='measured rounds [5]')
    parser.add_argument(
        '--files',
        type=at_least(1),
        default=8,
        help='image files of a prediction and of an epoch [8]',
    )
    parser.add_argument(
        '--workers', type=int, default=1, help='data loading processes of an epoch [1]'
    )
    parser.add_argument('--threads', type=at_least(1), default=2, help='threads of PyTorch [2]')
    parser.add_argument('--device', default='cpu', help='cpu or cuda:0 [cpu]')
    parser.add_argument('--seed', type=int, default=0, help='random seed of weights and order [0]')
    parser.add_argument('--out', default='work_dirs/benchmark', metavar='DIR',
                        help='folder of the report [work_dirs/benchmark]')  # fmt: skip
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    args = make_parser().parse_args(argv)

    import mmengine
    import torch
    from rich.console import Console

    from benchmarks.report import print_tables, write_report
    from benchmarks.running import count_ticks, run_benchmark
    from mmdet_cleargrasp.utils.errors import ConfigError
    from mmdet_cleargrasp.utils.progress import progress_bar

    if args.device.startswith('cuda') and not torch.cuda.is_available():
        raise ConfigError(f'--device {args.device}: PyTorch finds no CUDA GPU; use --device cpu')
    mmengine.MMLogger.get_current_instance().setLevel('ERROR')
    values = {name: value for name, value in vars(args).items() if name != 'out'}
    values |= {name: tuple(values[name]) for name in ('groups', 'works')}
    options = Options(**{**values, 'data_root': Path(args.data_root)})
    console = Console()
    with progress_bar() as bar:
        task = bar.add_task('', total=count_ticks(options))
        for results in run_benchmark(
            options, lambda what: bar.update(task, advance=1, description=what)
        ):
            files = write_report(results, args.out)
    print_tables(results, console)
    console.print()
    for path in files:
        console.print(f'wrote {path}', markup=False, highlight=False, soft_wrap=True)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
