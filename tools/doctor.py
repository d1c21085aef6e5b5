"""Check a run without starting it: versions, device, data, classes, backbone file, strides."""

import argparse
import sys
import tempfile

from command_line import add_config, new_parser

EXAMPLES = """
examples:
  python tools/doctor.py configs/frcnn_cleargrasp_plates.py
  python tools/doctor.py configs/retinanet_cleargrasp_plates.py --data-root ~/my_plates
  python tools/doctor.py CONFIG --checkpoint work_dirs/frcnn_cleargrasp_plates/epoch_24.pth
"""


def parse_args() -> argparse.Namespace:
    parser = new_parser(__doc__, EXAMPLES)
    add_config(parser)
    parser.add_argument('--checkpoint', help="a detector's checkpoint, to check a test")
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from mmdet_cleargrasp.engine import preflight, run_config
    from mmdet_cleargrasp.utils.errors import friendly_exit

    loops = ('test',) if args.checkpoint else ('train', 'val')
    with friendly_exit(), tempfile.TemporaryDirectory() as split_dir:
        cfg = run_config.load_config(args.config, cfg_options=args.cfg_options)
        if args.data_root:
            run_config.use_data_root(cfg, args.data_root, bool(args.checkpoint), split_dir)
        findings = preflight.check_run(cfg, loops, args.checkpoint)
        print(preflight.describe(findings))
        errors = sum(finding.level == 'error' for finding in findings)
        print(f'\n{errors} error(s)' if errors else '\nready to run')
    sys.exit(bool(errors))


if __name__ == '__main__':
    main()
