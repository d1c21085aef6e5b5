"""Export a detector to ONNX and compare its outputs with torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/export.py CONFIG CHECKPOINT plates.onnx --images photos/
  python tools/export.py configs/retinanet_cleargrasp_plates.py \\
      work_dirs/retinanet_cleargrasp_plates/epoch_24.pth plates.onnx --images a.jpg b.jpg

needs pip install 'mmdet_cleargrasp[export]'; docs/inference.md documents inputs and outputs

exit status: 0 exported (and equal to torch), 1 not exported, 2 invalid options, 3 exported, but
outputs differ from torch's
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help="the detector's checkpoint file")
    parser.add_argument('out', metavar='OUT.onnx', help='file to write')
    parser.add_argument(
        '--images', nargs='+', default=[], metavar='INPUT', help='images, folders or quoted globs'
    )
    parser.add_argument(
        '--score-tolerance',
        type=float,
        default=1e-3,
        help='largest allowed difference of scores [0.001]',
    )
    parser.add_argument(
        '--box-tolerance', type=float, default=0.5, help='the same for boxes, in pixels [0.5]'
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

    from ..inference import PlateDetector, inputs, onnx_export

    onnx_export.require_packages()
    onnx_export.check_out(args.out)
    found = inputs.find_inputs(args.images) if args.images else None
    detector = PlateDetector(args.config, args.checkpoint, device='cpu')
    out = onnx_export.export_onnx(detector, args.out)
    print(f'wrote {out} ({out.stat().st_size / 1e6:.0f} MB)')
    if found is None:
        print('not compared with torch: give images with --images')
        return 0
    checks = onnx_export.check(out, detector, inputs.pictures(found))
    print(onnx_export.describe(checks))
    same = all(check.within(args.score_tolerance, args.box_tolerance) for check in checks.values())
    print('the same' if same else 'NOT the same')
    return 0 if same else 3
