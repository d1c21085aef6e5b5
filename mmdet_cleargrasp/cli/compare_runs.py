"""Compare tested runs: metrics, differences with intervals, and a report as one HTML page."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import at_least, new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/analysis_tools/compare_runs.py work_dirs/example
  python tools/analysis_tools/compare_runs.py cleargrasp=work_dirs/a_seed0 \\
      cleargrasp=work_dirs/a_seed1 coco=work_dirs/b_seed0 coco=work_dirs/b_seed1 \\
      --reference coco --out work_dirs/comparison

takes folders of tools/run_experiment.py, and work dirs of tools/train.py that were tested with
tools/test.py; runs with the same name are seeds of one arm. See docs/comparison.md.
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('runs', nargs='+', metavar='[NAME=]DIR', help='work dirs')
    parser.add_argument('--out', metavar='DIR', help="folder to write [the first DIR's comparison]")
    parser.add_argument(
        '--reference', metavar='ARM', help='arm that the others are compared with [the first]'
    )
    parser.add_argument(
        '--group',
        action='append',
        default=[],
        metavar='NAME=PATTERN',
        help='also report metrics of the images whose file name, or another text in their entry in '
        'the annotations, matches a regular expression; can be repeated: '
        "--group 'white=paper|lightbox'",
    )
    parser.add_argument('--question', help='title of the report')
    parser.add_argument(
        '--replicates', type=at_least(100), default=2000, help='bootstrap samples [2000]'
    )
    parser.add_argument(
        '--pictures', type=at_least(0), default=3, help='images drawn per arm and test [3]'
    )
    parser.add_argument(
        '--no-cost', action='store_true', help='do not count parameters and operations'
    )
    parser.add_argument(
        '--measure-speed', action='store_true', help='measure the time per image of each arm'
    )
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    args = make_parser().parse_args(argv)

    import dataclasses

    from rich.console import Console

    from ..experiments.comparison.groups import parse_group
    from ..experiments.comparison.report import write_comparison
    from ..experiments.comparison.runs import collect_runs

    groups = [parse_group(text) for text in args.group]
    runs = collect_runs(args.runs, args.reference)
    if args.question:
        runs = dataclasses.replace(runs, question=args.question)
    out = args.out or runs.runs[0].folder / 'comparison'
    if not args.out and Path(args.runs[0]).is_dir():
        out = Path(args.runs[0]) / 'comparison'
    console = Console()
    files = write_comparison(
        runs,
        out,
        console,
        args.replicates,
        not args.no_cost,
        args.measure_speed,
        args.pictures,
        groups,
    )
    console.print()
    for path in files:
        console.print(f'wrote {path}', markup=False, highlight=False, soft_wrap=True)
    return 0
