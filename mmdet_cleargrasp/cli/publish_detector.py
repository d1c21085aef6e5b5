"""Write a trained detector as a small file to share: weights, classes and working threshold."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/model_converters/publish_detector.py \\
      work_dirs/frcnn_plates_detector/best_coco_bbox_mAP_epoch_40.pth checkpoints/mine.pth --half \\
      --note 'trained on our incubator photographs, May 2026'
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('checkpoint', type=Path, help='checkpoint written by tools/train.py')
    parser.add_argument('output', type=Path, help='file to write')
    parser.add_argument('--half', action='store_true', help='write float16, which halves the size')
    parser.add_argument('--note', help='description of the file and its training data')
    parser.add_argument('--overwrite', action='store_true', help='replace an existing output')
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

    from ..checkpoints.writing import plain_detector, save_atomically
    from ..evaluation.working_threshold import META_KEY, read_working_threshold
    from ..utils.atomic_files import refuse_unwritable
    from ..utils.errors import ConfigError

    if args.output.exists() and not args.overwrite:
        raise ConfigError(f'{args.output} exists; --overwrite replaces it')
    refuse_unwritable(args.output, 'output')
    content = plain_detector(args.checkpoint, half=args.half)
    threshold = read_working_threshold(args.checkpoint)
    if threshold.figures():
        content['meta'][META_KEY] = threshold.figures()
    if args.note:
        content['meta']['note'] = args.note
    out = save_atomically(content, args.output)
    print(f'wrote      {out} ({out.stat().st_size / 1e6:.1f} MB)')
    print(f'classes    {", ".join(content["meta"]["dataset_meta"]["classes"])}')
    print(f'threshold  {threshold}')
    return 0
