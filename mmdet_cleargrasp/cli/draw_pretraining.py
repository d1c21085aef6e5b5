"""Draw the predictions of a pretraining network: mask, outlines and surface normals."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import new_parser, picture_file
from .command import command

EXAMPLES = """
example:
  python tools/analysis_tools/draw_pretraining.py configs/pretrain/resnet50_plates.py \\
      work_dirs/resnet50_plates/backbone.pth photographs/ --out seen.png
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('config', help='config of the pretraining')
    parser.add_argument('checkpoint', help='backbone.pth of the pretraining')
    parser.add_argument('photographs', nargs='+', type=Path, help='image files or folders of them')
    parser.add_argument(
        '--out', type=picture_file, default=Path('seen.png'), help='image to write [seen.png]'
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

    from ..datasets.images import is_image
    from ..engine.run_config import load_config
    from ..pretraining.inference import draw_photographs, load_network
    from ..visualization.contact_sheets import save

    files = [
        file
        for path in args.photographs
        for file in (filter(is_image, sorted(path.iterdir())) if path.is_dir() else [path])
    ]
    network = load_network(load_config(args.config), args.checkpoint)
    picture = draw_photographs(network, files)
    save(args.out, picture[..., ::-1])
    print(f'wrote {args.out} with {len(files)} photograph(s)')
    return 0
