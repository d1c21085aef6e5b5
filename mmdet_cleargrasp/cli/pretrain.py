"""Pretrain a backbone on mask, outlines and surface normals of transparent objects."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import add_cfg_options, add_run, add_training, new_parser, set_local_rank
from .command import command

EXAMPLES = """
examples:
  python tools/render_plates.py configs/rendering/pretraining.yaml work_dirs/pretraining_data
  python tools/pretrain.py configs/pretrain/resnet50_plates.py
  python tools/pretrain.py configs/pretrain/resnet50_joint.py --data-root ~/my_renders --amp
  python tools/pretrain.py configs/pretrain/resnet50_joint.py --resume
  torchrun --nproc_per_node=4 tools/pretrain.py configs/pretrain/resnet50_joint.py \\
      --launcher pytorch
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('config', help='config file, such as those in configs/pretrain/')
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help="folder with DIR/train and DIR/val in ClearGrasp's layout",
    )
    add_cfg_options(parser)
    add_run(parser)
    add_training(parser)
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
    set_local_rank(args)

    from ..engine.prepare import RunOptions
    from ..pretraining.running import prepare_pretraining, pretrain

    pretrain(prepare_pretraining(args.config, RunOptions.from_args(args)))
    return 0
