"""Serve a web page that detects plates in uploaded images."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .arguments import add_detector, new_parser
from .command import command

EXAMPLES = """
examples:
  python -m mmdet_cleargrasp app                          # the detector of the repository
  python -m mmdet_cleargrasp app work_dirs/frcnn_cleargrasp_plates
  python -m mmdet_cleargrasp app CONFIG CHECKPOINT --port 8000
  ssh -L 7860:localhost:7860 you@server    # then open http://localhost:7860 on your own computer

The page listens on this machine only. --host 0.0.0.0 opens it, without a password, to everyone
who can reach the machine.
"""


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.usage = '%(prog)s [options] [WORK_DIR | CONFIG CHECKPOINT]'
    parser.add_argument(
        'what',
        nargs='*',
        metavar='RUN',
        help='a work dir of tools/train.py (its best checkpoint is used), or a config and a '
        'checkpoint, or neither for the detector that comes with the repository',
    )
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on [127.0.0.1]')
    parser.add_argument('--port', type=int, default=7860, help='port to listen on [7860]')
    add_detector(parser)
    for name, default in (('files', 30), ('megabytes', 50), ('megapixels', 60)):
        parser.add_argument(
            f'--max-{name}', type=int, default=default, help=f'limit per upload [{default}]'
        )
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Load the detector and serve the page until Ctrl-C; returns the exit status."""
    parser = make_parser()
    args = parser.parse_args(argv)
    if len(args.what) > 2:
        parser.error(f'expected WORK_DIR, or CONFIG CHECKPOINT, and got {" ".join(args.what)}')

    import tempfile

    from ..app.offline import is_loopback, stay_offline
    from ..app.page import launch, make_page, prepare_gradio
    from ..app.review import Limits
    from ..compat.cpu_memory import keep_freed_memory
    from ..inference import PlateDetector
    from ..inference.detector import find_run, take_detector

    limits = Limits(args.max_files, args.max_megabytes, args.max_megapixels)
    with tempfile.TemporaryDirectory(prefix='plates_') as folder:
        tempfile.tempdir = folder
        prepare_gradio(folder)
        stay_offline()
        files = find_run(args.what[0]) if len(args.what) == 1 else take_detector(args.what)[0]
        keep_freed_memory()
        detector = PlateDetector(*files, args.device, args.per_class, args.runtime, args.amp)
        if not is_loopback(args.host):
            print(f'warning: everyone who can reach {args.host} can use the page', file=sys.stderr)
        launch(make_page(detector, limits), limits, args.host, args.port)
    return 0
