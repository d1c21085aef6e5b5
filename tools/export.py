"""Export a detector to ONNX, whole, and hold it against torch on images."""

import argparse
import sys

from command_line import new_parser

EXAMPLES = """
examples:
  python tools/export.py CONFIG CHECKPOINT plates.onnx --images photos/
  python tools/export.py configs/retinanet_cleargrasp_plates.py \\
      work_dirs/retinanet_cleargrasp_plates/epoch_24.pth plates.onnx --images a.jpg b.jpg

needs pip install 'mmdet_cleargrasp[export]'; docs/inference.md tells the graph's inputs and outputs

exit status: 0 exported (and alike), 1 not exported, 2 wrong options, 3 exported, but not alike
"""


def parse_args() -> argparse.Namespace:
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help="the detector's checkpoint file")
    parser.add_argument('out', metavar='OUT.onnx', help='the file to write')
    parser.add_argument(
        '--images', nargs='+', default=[], metavar='INPUT', help='images, folders or quoted globs'
    )
    parser.add_argument(
        '--score-tolerance', type=float, default=1e-3, help='largest difference allowed [0.001]'
    )
    parser.add_argument(
        '--box-tolerance', type=float, default=0.5, help='the same, in pixels of the image [0.5]'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    # Late, so that --help and a wrong option answer at once.
    from mmdet_cleargrasp.inference import PlateDetector, inputs, onnx_export
    from mmdet_cleargrasp.utils.errors import friendly_exit

    with friendly_exit():
        onnx_export.require_packages()
        found = inputs.find_inputs(args.images) if args.images else None
        detector = PlateDetector(args.config, args.checkpoint, device='cpu')
        out = onnx_export.export_onnx(detector, args.out)
        print(f'written: {out} ({out.stat().st_size / 1e6:.0f} MB)')
        if found is None:
            print('not held against torch: name images by --images')
            return
        checks = onnx_export.check(out, detector, inputs.pictures(found))
        print(onnx_export.describe(checks))
    alike = all(check.within(args.score_tolerance, args.box_tolerance) for check in checks.values())
    print('alike' if alike else 'NOT alike')
    sys.exit(0 if alike else 3)


if __name__ == '__main__':
    main()
