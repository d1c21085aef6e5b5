"""Train a detector."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import (
    add_config,
    add_run,
    add_scale,
    add_training,
    batch_size,
    new_parser,
    set_local_rank,
)
from .command import command

EXAMPLES = """
examples:
  python tools/train.py configs/frcnn_cleargrasp_plates.py
  python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root ~/my_plates
  python tools/train.py configs/frcnn_cleargrasp_plates.py --resume
  python tools/train.py configs/frcnn_cleargrasp_plates.py \\
      --cfg-options model.backbone.init_cfg.checkpoint=checkpoints/mine.pth \\
      train_dataloader.batch_size=4
  torchrun --nproc_per_node=4 tools/train.py configs/frcnn_cleargrasp_plates.py --launcher pytorch
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    add_config(parser)
    add_scale(parser)
    add_run(parser)
    add_training(parser)
    parser.add_argument(
        '--batch-size',
        type=batch_size,
        metavar='N',
        help="images per step and process; `auto` tries the largest that fits into the GPU's "
        "memory [the config's]",
    )
    parser.add_argument(
        '--feature-cache',
        nargs='?',
        const='work_dirs/feature_cache',
        metavar='DIR',
        help='compute the feature maps of a frozen backbone once and keep them on disk, up to 20 '
        'GB: faster on few CPU cores [off; without a value work_dirs/feature_cache]',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the total batch size',
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
    set_local_rank(args)

    from ..engine.prepare import RunOptions, prepare
    from ..engine.training import train

    train(prepare(args.config, RunOptions.from_args(args)))
    return 0
