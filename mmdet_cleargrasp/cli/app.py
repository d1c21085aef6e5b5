"""Serve a web page that finds plates in photographs and corrects boxes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..app.limits import Limits
from .arguments import RUN_HELP, add_detector, at_least, minutes, new_parser
from .command import command

EXAMPLES = """
examples:
  python -m mmdet_cleargrasp app                          # the detector of the repository
  python -m mmdet_cleargrasp app work_dirs/frcnn_cleargrasp_plates
  python -m mmdet_cleargrasp app CONFIG CHECKPOINT --port 8000
  ssh -L 7860:localhost:7860 you@server    # then open the printed link on your own computer

Open the printed link, which has a secret token. The page can be reached from this machine only;
with --host 0.0.0.0, anyone on the network with the link can open it.
"""
#: Help texts of the options that set :class:`.Limits`, by attribute.
LIMITS = {
    'files': 'maximum number of photographs per user',
    'megabytes': 'maximum size of a photograph in MB',
    'megapixels': 'maximum size of a photograph in millions of pixels',
    'total_files': 'maximum number of photographs of all users together',
    'total_megabytes': 'maximum disk space of all users together, in MB',
    'sessions': 'maximum number of users at the same time',
}


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.usage = '%(prog)s [options] [WORK_DIR | CONFIG CHECKPOINT]'
    parser.add_argument('run', nargs='*', metavar='RUN', help=RUN_HELP)
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on [127.0.0.1]')
    parser.add_argument('--port', type=int, default=7860, help='port to listen on [7860]')
    add_detector(parser)
    access = parser.add_argument_group('access')
    access.add_argument(
        '--no-token',
        action='store_true',
        help='accept requests without the token, also from other users of this machine',
    )
    access.add_argument(
        '--allow-host',
        action='append',
        default=[],
        metavar='NAME',
        help='further host name in the address of the page, in addition to localhost, IP addresses '
        'and the name of this machine',
    )
    limits = parser.add_argument_group('limits')
    for name, text in LIMITS.items():
        default = getattr(Limits, name)
        limits.add_argument(
            f'--max-{name.replace("_", "-")}',
            type=at_least(1),
            default=default,
            metavar='N',
            help=f'{text} [{default}]',
        )
    limits.add_argument(
        '--idle-minutes',
        type=minutes,
        default=Limits.idle_seconds / 60,
        metavar='N',
        help="minutes without a request after which a user's photographs are removed "
        f'[{Limits.idle_seconds / 60:g}]',
    )
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Load the detector and serve the page until Ctrl-C.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    parser = make_parser()
    args = parser.parse_args(argv)
    if len(args.run) > 2:
        parser.error(f'expected WORK_DIR, or CONFIG CHECKPOINT, but got {" ".join(args.run)}')
    _import_server()

    import tempfile

    from ..app.offline import is_loopback, stay_offline
    from ..app.private_folder import private_folder
    from ..app.server import serve
    from ..compat.cpu_memory import keep_freed_memory
    from ..inference import PlateDetector
    from ..inference.detector import find_run, take_detector

    limits = Limits(
        **{name: getattr(args, f'max_{name}') for name in LIMITS},
        idle_seconds=args.idle_minutes * 60,
    )
    with private_folder() as folder:
        tempfile.tempdir = str(folder)
        stay_offline()
        config, checkpoint = (
            find_run(args.run[0]) if len(args.run) == 1 else take_detector(args.run)[0]
        )
        keep_freed_memory()
        detector = PlateDetector(
            config, checkpoint, args.device, args.per_class, args.runtime, args.amp
        )
        if not is_loopback(args.host):
            users = 'anyone who can reach it' if args.no_token else 'anyone with the link'
            print(f'warning: {args.host} is open to {users}', file=sys.stderr)
        serve(
            detector,
            config,
            folder,
            limits,
            args.host,
            args.port,
            token=not args.no_token,
            hosts=args.allow_host,
        )
    return 0


def _import_server() -> None:
    """Check before the detector is loaded that the packages of the page are installed."""
    from ..utils.errors import ConfigError

    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"the page needs {error.name}: pip install 'mmdet_cleargrasp[app]'"
        ) from error
