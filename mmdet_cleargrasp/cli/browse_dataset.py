"""Draw contact sheets of a data set: boxes as annotated, and after the config's augmentation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import at_least, new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/analysis_tools/browse_dataset.py configs/frcnn_cleargrasp_plates.py
  python tools/analysis_tools/browse_dataset.py configs/frcnn_cleargrasp_plates.py \\
      --data-root ~/my_plates --count 32
  python tools/analysis_tools/browse_dataset.py ~/my_plates

writes OUT/train_before.png and OUT/train_after.png with the same images in the same order; for a
folder, which has no augmentation, one sheet per split
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('source', metavar='CONFIG|FOLDER', type=Path)
    parser.add_argument('--data-root', metavar='DIR', help='folder with your own data')
    parser.add_argument('--count', type=at_least(1), default=16, help='images per sheet [16]')
    parser.add_argument('--size', type=at_least(1), default=320, help='pixels of each image [320]')
    parser.add_argument(
        '--seed', type=at_least(0), default=0, help='random seed of the augmentation [0]'
    )
    parser.add_argument('--out', type=Path, help='folder to write [work_dirs/browse/NAME]')
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

    from ..engine.browsing import browse_config, browse_folder
    from ..engine.prepare import RunOptions, prepare

    out = args.out or Path('work_dirs') / 'browse' / args.source.resolve().stem
    if args.source.is_dir():
        sheets = browse_folder(args.source, out, count=args.count, size=args.size)
    else:
        options = RunOptions(data_root=args.data_root, split_dir=out / 'splits')
        plan = prepare(args.source, options)
        sheets = browse_config(plan, out, count=args.count, size=args.size, seed=args.seed)
    for sheet in sheets:
        print(f'wrote {sheet}')
    return 0
