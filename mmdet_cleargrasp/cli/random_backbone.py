"""Write a backbone with random weights, the control of a comparison."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from .arguments import at_least, new_parser
from .command import command

EXAMPLES = """
example:
  python tools/model_converters/random_backbone.py data/plates/train checkpoints/random_resnet50.pth
  python tools/model_converters/random_backbone.py data/plates/train \\
      checkpoints/random_efficientnet_lite2.pth \\
      --config configs/frcnn_imagenet_efficientnet_lite2_plates.py
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('images', type=Path, help='folder of images for the batch norm statistics')
    parser.add_argument('output', help='file to write')
    parser.add_argument(
        '--config',
        help="config of a detector with this backbone [frcnn_random_plates.py: ClearGrasp's "
        'ResNet-50]',
    )
    parser.add_argument('--seed', type=at_least(0), default=0, help='random seed [0]')
    parser.add_argument(
        '--max-images', type=at_least(1), default=16, help='number of images to use [16]'
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

    from ..checkpoints.random_weights import write_random_backbone
    from ..datasets.images import is_image
    from ..engine.run_config import load_config
    from ..utils.atomic_files import refuse_unwritable
    from ..utils.errors import DataError

    refuse_unwritable(args.output, 'output')
    names = sorted(os.listdir(args.images)) if args.images.is_dir() else []
    images = [path for name in names if is_image(path := args.images / name)]
    if not images:
        raise DataError(f'no image in {args.images}')
    chosen = images[: args.max_images]
    model = load_config(args.config or 'frcnn_random_plates').model
    out = write_random_backbone(
        args.output, chosen, model.backbone, model.data_preprocessor, args.seed
    )
    print(
        f'wrote {out}: random {model.backbone.type}, seed {args.seed}, batch norm statistics from '
        f'{len(chosen)} images'
    )
    return 0
