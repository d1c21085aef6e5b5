"""Convert a data set of another format into the COCO layout that training reads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import new_parser
from .command import SUCCESS, command

#: Converted, but some annotated images had to be left out.
INCOMPLETE = 3

EXAMPLES = """
formats, recognized by looking at the folder (--format forces one):
  labelme  LabelMe, X-AnyLabeling: a JSON for every image   voc  Pascal VOC's XML
  yolo     YOLO, Darknet: a text file for every image       cvat CVAT for images 1.1
  coco     COCO under any name, Label Studio's export too   masks PNG masks

examples:
  python tools/dataset_converters/to_coco.py ~/labelme_plates data/my_plates
  python tools/dataset_converters/to_coco.py ~/yolo_export data/my_plates \\
      --classes dish=petri_dish plate96=multiwell_plate lid=
  python tools/dataset_converters/to_coco.py ~/plates data/my_plates --group-by 'plate(\\d+)' \\
      --val 0.2 --test 0.1
then:
  python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root data/my_plates

The source is only read. Splits that it has are kept; otherwise images are split at random, by the
seed and their names, or with --group-by so that photographs of one plate stay together. Everything
that is left out is named in DIR/conversion.json; the exit status is 3 where annotated images are
among it.
"""


def split_name(text: str) -> tuple[str, str]:
    """A type of argument: the source's name of a split, and ours.

    Args:
        text: As ``NAME=SPLIT``.
    """
    name, _, split = text.rpartition('=')
    if not name or split not in ('train', 'val', 'test'):
        raise argparse.ArgumentTypeError(f'{text}: expected NAME=train, NAME=val or NAME=test')
    return name, split


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('src', help='folder of the source')
    parser.add_argument('out', help='folder to write')
    parser.add_argument(
        '--format', choices=['labelme', 'voc', 'yolo', 'cvat', 'coco', 'masks'], dest='format_name'
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        default=[],
        metavar='CLASS',
        help='OLD=NEW renames a class (those that get the same name are merged), OLD= drops its '
        'boxes; NAME keeps it, and all that are not named are dropped',
    )
    parser.add_argument(
        '--group-by',
        metavar='REGEX',
        help='images in whose path the first group of this expression (or its whole match) is the '
        'same go into the same split; "parent" takes the folder',
    )
    parser.add_argument(
        '--splits',
        nargs='+',
        type=split_name,
        default=[],
        metavar='NAME=SPLIT',
        help="splits whose names don't say what they are, such as week1=train week2=val",
    )
    parser.add_argument(
        '--resplit', action='store_true', help="split again, ignore the source's splits"
    )
    parser.add_argument('--val', type=float, default=0.2, help='share for validation [0.2]')
    parser.add_argument('--test', type=float, default=0.0, help='share for the test [0]')
    parser.add_argument('--seed', type=int, default=0, help='of the random split [0]')
    parser.add_argument(
        '--unannotated',
        choices=['negative', 'skip'],
        help='take images without annotation as images without a plate, or skip them [skip; '
        'negative for YOLO, which has no file for such images]',
    )
    parser.add_argument(
        '--drawn-on',
        choices=['upright', 'stored'],
        help='whether the labeling tool showed photographs turned by their EXIF orientation, '
        'where sizes do not prove it [upright, with a warning]',
    )
    parser.add_argument('--link', action='store_true', help='hard links instead of copies')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT where a conversion wrote it'
    )
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = make_parser().parse_args(argv)

    from ..conversion import ConversionOptions, convert
    from ..conversion.summary import write_summary
    from ..utils.progress import progress_bar

    given = vars(args)
    src, out = given.pop('src'), given.pop('out')
    given |= {'classes': tuple(args.classes), 'splits': dict(args.splits)}
    with progress_bar() as bar:
        task = bar.add_task('reading images', total=None)
        report = convert(
            src,
            out,
            ConversionOptions(**given),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    write_summary(report)
    return SUCCESS if report.complete else INCOMPLETE
