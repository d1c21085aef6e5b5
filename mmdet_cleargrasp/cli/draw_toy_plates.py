"""Generate a tiny data set of drawn plates, for trying out the tools."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import at_least, new_parser
from .command import command

EXAMPLES = """
example:
  python tools/dataset_converters/draw_toy_plates.py work_dirs/toy_plates
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('output', help='folder to write')
    parser.add_argument('--train', type=at_least(1), default=24, help='training images [24]')
    parser.add_argument('--val', type=at_least(1), default=8, help='validation images [8]')
    parser.add_argument(
        '--size', type=at_least(1), default=256, help="pixels of an image's longer side [256]"
    )
    parser.add_argument('--seed', type=at_least(0), default=0, help='random seed [0]')
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

    from ..datasets.toy_plates import write_toy_plates

    out = write_toy_plates(args.output, args.train, args.val, args.size, args.seed)
    print(f'wrote {args.train} training and {args.val} validation images to {out}')
    return 0
