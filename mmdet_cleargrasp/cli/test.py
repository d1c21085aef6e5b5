"""Test a detector: mAP, precision, recall and F1, with charts and images."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from .arguments import (
    add_config,
    add_run,
    add_runtime,
    add_scale,
    add_test_split,
    new_parser,
    set_local_rank,
)
from .command import command

EXAMPLES = """
examples:
  python tools/test.py configs/frcnn_cleargrasp_plates.py \\
      work_dirs/frcnn_cleargrasp_plates/epoch_24.pth
  python tools/test.py CONFIG CHECKPOINT --test-split hard
  python tools/test.py CONFIG CHECKPOINT --data-root ~/other_plates
  python tools/test.py CONFIG CHECKPOINT --show-dir drawn --out predictions.pkl
  python tools/test.py CONFIG CHECKPOINT --runtime openvino --amp   # as infer predicts with these

writes WORK_DIR/test/NAME/, where NAME is the name of the annotation file (all images are tested if
a folder has no splits):
  metrics.json, predictions.bbox.json (COCO), pr_curves.png, f1_curve.png, confusion_matrix.png,
  source.json and, with --show-dir DIR, DIR/: ground truth on the left, detections on the right

COCO's metrics (AP) rank the boxes of each class over all scores. Precision, recall and F1 count one
box per plate above the score threshold of the checkpoint, which has the best F1 on validation.
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    add_config(parser)
    parser.add_argument('checkpoint', help="the detector's checkpoint file")
    add_scale(parser)
    add_test_split(parser)
    add_run(parser)
    parser.add_argument(
        '--tta',
        action='store_true',
        help='test-time augmentation: also test flipped images, and merge the boxes; takes four '
        'times as long',
    )
    add_runtime(parser, ('torch', 'openvino'), 'torch')
    parser.add_argument('--out', metavar='FILE.pkl', help="predictions for MMDetection's tools")
    parser.add_argument(
        '--show-dir',
        metavar='DIR',
        help='folder in the report for images with drawn boxes',
    )
    parser.add_argument('--show', action='store_true', help='show images with drawn boxes')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds to show an image')
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
    from ..engine.testing import draw_boxes, test

    options = replace(RunOptions.from_args(args), amp=False)  # that of a training
    plan = prepare(args.config, options)
    if args.show or args.show_dir:
        draw_boxes(plan, show=args.show, show_dir=args.show_dir, wait_time=args.wait_time)
    test(plan, out=args.out, tta=args.tta, runtime=args.runtime, amp=args.amp)
    return 0
