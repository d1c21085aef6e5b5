"""Detect plates in images, scans and videos; write tables, COCO JSON, overlays and crops."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import RUN_HELP, add_detector, at_least, new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/infer.py photos/                           # the detector of the repository
  python tools/infer.py work_dirs/frcnn_cleargrasp_plates photos/
  python tools/infer.py CONFIG CHECKPOINT day_1.jpg 'week_*/**/*.tif' film.mp4 --stride 25
  python tools/infer.py WORK_DIR scans/ --tile 1024 --crops
  python tools/infer.py WORK_DIR photos/ --plate-diameter 90 --plate-class petri_dish
  python tools/infer.py WORK_DIR 0 --frames 10            # the first camera
  python tools/infer.py WORK_DIR photos/ --out found --shard $SLURM_ARRAY_TASK_ID/8

writes OUT/detections.csv, detections.json (COCO), images.csv, overview.jpg, overlays/ and, with
--crops, crops/

exit status: 0 success, 1 error (see the message), 2 invalid options, 3 some images could not be
read (listed at the end and in images.csv), 130 Ctrl-C and 143 SIGTERM (earlier results are written)
"""


def shard_number(text: str) -> tuple[int, int]:
    """Argument type: ``I/N``, shard I of N.

    Args:
        text: Value on the command line.

    Raises:
        argparse.ArgumentTypeError: The text is malformed, or I is not between 1 and N.

    Example:
        >>> shard_number('2/8')
        (2, 8)
    """
    number, _, count = text.partition('/')
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f'{text}: expected I/N with I from 1 to N, such as 2/8')
    return int(number), int(count)


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.usage = '%(prog)s [options] [WORK_DIR | CONFIG CHECKPOINT] INPUT...'
    parser.add_argument(
        'run_and_inputs',
        nargs='+',
        metavar='RUN_AND_INPUTS',
        help=f'{RUN_HELP}; then images, folders, quoted globs, videos, camera numbers',
    )
    parser.add_argument(
        '--out',
        metavar='DIR',
        help='a new or empty folder, or one of an interrupted batch, which continues [detections]',
    )
    parser.add_argument(
        '--shard',
        type=shard_number,
        default=(1, 1),
        metavar='I/N',
        help='process every N-th image from the I-th, as one of N processes with the same --out',
    )
    parser.add_argument(
        '--score-thr',
        type=float,
        help="score threshold [the checkpoint's, with the best F1 on validation, or 0.5]",
    )
    add_detector(parser)
    parser.add_argument(
        '--no-overlays', action='store_true', help='do not write images with drawn boxes'
    )
    parser.add_argument('--crops', action='store_true', help='write a JPEG crop of each plate')
    parser.add_argument(
        '--crop-margin',
        type=float,
        default=0.0,
        metavar='FRACTION',
        help='margin of a crop on each side, as a fraction of the box [0]',
    )
    parser.add_argument(
        '--export',
        nargs='+',
        default=[],
        metavar='FORMAT',
        help='also write labelme, yolo, voc, cvat, labelstudio, fiji (ROI sets) or qupath '
        '(GeoJSON) below DIR',
    )
    _add_option_groups(parser)
    return parser


def _add_option_groups(parser: argparse.ArgumentParser) -> None:
    """Add the options for large scans, sizes in mm, and videos."""
    tiles = parser.add_argument_group('large scans')
    tiles.add_argument('--tile', type=int, metavar='PIXELS', help='tile size for tiled inference')
    tiles.add_argument(
        '--overlap',
        type=float,
        default=0.25,
        help='overlap of neighboring tiles, as a fraction of their size [0.25]',
    )
    sizes = parser.add_argument_group('sizes in mm')
    sizes.add_argument(
        '--plate-diameter', type=float, metavar='MM', help='known diameter of the round plates'
    )
    sizes.add_argument('--plate-class', metavar='NAME', help='the class that has this diameter')
    videos = parser.add_argument_group('videos and cameras')
    videos.add_argument(
        '--stride', type=at_least(1), default=1, metavar='N', help='use every N-th frame [1]'
    )
    videos.add_argument(
        '--frames', type=at_least(1), metavar='N', help='use at most N frames of each'
    )


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    args = make_parser().parse_args(argv)

    from ..compat.cpu_memory import keep_freed_memory
    from ..engine.runtimes import WORTH_COMPILING
    from ..inference import PlateDetector, batch, exports, inputs
    from ..inference.detector import take_detector
    from ..inference.journal import Shard
    from ..utils.errors import ConfigError

    options = batch.BatchOptions(
        score_thr=args.score_thr,
        tile=args.tile,
        overlap=args.overlap,
        overlays=not args.no_overlays,
        crops=args.crops,
        crop_margin=args.crop_margin,
        plate_diameter=args.plate_diameter,
        plate_class=args.plate_class,
    )
    exports.check_formats(args.export)
    shard = Shard(*args.shard)
    if shard.count > 1 and not args.out:
        raise ConfigError('--shard needs --out DIR, the folder that all shards write to')
    files, rest = take_detector(args.run_and_inputs)
    if not rest:
        raise ConfigError('no input: expected images, folders or videos after the detector')
    found = inputs.find_inputs(rest)
    total = inputs.count(found, args.stride, args.frames)
    is_short = total is not None and total // shard.count < WORTH_COMPILING
    runtime = 'torch' if args.runtime == 'auto' and is_short else args.runtime
    keep_freed_memory()
    detector = PlateDetector(*files, args.device, args.per_class, runtime, args.amp)
    result = batch.run_batch(
        detector,
        inputs.pictures(found, args.stride, args.frames),
        args.out or batch.free_dir('detections'),
        options,
        total,
        shard,
        str(found.root),
    )
    for path, reason in found.skipped:
        print(f'skipped: {path} {reason}')
    wanted = [] if result.unfinished else list(dict.fromkeys(args.export))
    written = exports.export(result, found.root, wanted)
    print(batch.describe(result, options))
    for name in wanted:
        if name in written:
            note = f'detections for {name}'
        elif (result.out_dir / name).exists():
            note = 'exists and was kept; remove it to write it again'
        else:
            note = 'another process is writing it'
        print(f'  {name + "/":16} {note}')
    return 3 if result.failures or found.skipped else 0
