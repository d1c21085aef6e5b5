"""Serve a page on which photographs are dropped and plates are found."""

from __future__ import annotations

import argparse
import sys
import tempfile

EXAMPLES = """
examples:
  python -m mmdet_cleargrasp.app work_dirs/frcnn_cleargrasp_plates
  python -m mmdet_cleargrasp.app CONFIG CHECKPOINT --port 8000
  ssh -L 7860:localhost:7860 you@server    # then open http://localhost:7860 at your own desk

The page listens on this machine alone. --host 0.0.0.0 opens it, without a password, to everyone
who reaches the machine.
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m mmdet_cleargrasp.app',
        usage='%(prog)s [options] (WORK_DIR | CONFIG CHECKPOINT)',
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'what',
        nargs='+',
        metavar='RUN',
        help='a work dir of tools/train.py (its best checkpoint is taken), or a config and a '
        'checkpoint',
    )
    parser.add_argument('--host', default='127.0.0.1', help='address to listen at [127.0.0.1]')
    parser.add_argument('--port', type=int, default=7860, help='port to listen at [7860]')
    parser.add_argument(
        '--per-class',
        action='store_true',
        help='keep boxes of several classes around the same plate [the best one alone]',
    )
    parser.add_argument('--device', help='such as cuda:0 or cpu [a GPU where there is one]')
    for name, default in (('files', 30), ('megabytes', 50), ('megapixels', 60)):
        parser.add_argument(
            f'--max-{name}', type=int, default=default, help=f'accepted at once [{default}]'
        )
    args = parser.parse_args()
    if len(args.what) > 2:
        parser.error(f'expected WORK_DIR, or CONFIG CHECKPOINT, and got {" ".join(args.what)}')
    return args


def main() -> None:
    """Load the detector and serve the page until Ctrl-C."""
    args = parse_args()

    # Late, so that --help and a wrong option answer at once.
    from ..inference import PlateDetector
    from ..inference.detector import find_run
    from ..utils.errors import friendly_exit
    from .offline import is_loopback, stay_offline
    from .page import launch, make_page, prepare_gradio
    from .review import Limits

    limits = Limits(args.max_files, args.max_megabytes, args.max_megapixels)
    with friendly_exit(), tempfile.TemporaryDirectory(prefix='plates_') as folder:
        tempfile.tempdir = folder
        prepare_gradio(folder)
        stay_offline()
        files = find_run(args.what[0]) if len(args.what) == 1 else args.what
        detector = PlateDetector(*files, device=args.device, per_class=args.per_class)
        if not is_loopback(args.host):
            print(f'warning: everyone who reaches {args.host} can use the page', file=sys.stderr)
        launch(make_page(detector, limits), limits, args.host, args.port)


if __name__ == '__main__':
    main()
