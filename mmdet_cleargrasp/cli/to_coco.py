"""Convert a data set of another format into the COCO layout that training reads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import new_parser
from .command import command

EXAMPLES = """
formats, recognized by looking (--format forces one):
  labelme  a JSON file beside every image      voc    Pascal VOC's XML
  yolo     data.yaml, images/ and labels/      cvat   CVAT for images 1.1
  coco     COCO under any name, Label Studio's export too
  masks    PNG masks in ClearGrasp's or Penn-Fudan's folders

examples:
  python tools/dataset_converters/to_coco.py ~/labelme_plates data/my_plates
  python tools/dataset_converters/to_coco.py ~/yolo_export data/my_plates \\
      --classes dish=petri_dish plate96=multiwell_plate
  python tools/dataset_converters/to_coco.py ~/plates data/my_plates --group-by 'plate(\\d+)' \\
      --val 0.2 --test 0.1
then:
  python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root data/my_plates

The source is only read. Splits that it has are kept; otherwise images are split at random, by the
seed and their names, or with --group-by so that photographs of one plate stay together.
"""


def renaming(text: str) -> tuple[str, str]:
    """A type of argument: the old and the new name of a class.

    Args:
        text: As ``OLD=NEW``.
    """
    old, _, new = text.partition('=')
    if not old or not new:
        raise argparse.ArgumentTypeError(f'{text}: expected OLD=NEW')
    return old, new


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
        type=renaming,
        default=[],
        metavar='OLD=NEW',
        help='rename classes; those that get the same name are merged',
    )
    parser.add_argument(
        '--group-by',
        metavar='REGEX',
        help='images in whose path the first group of this expression (or its whole match) is the '
        'same go into the same split; "parent" takes the folder',
    )
    parser.add_argument(
        '--resplit', action='store_true', help="split again, ignore the source's splits"
    )
    parser.add_argument('--val', type=float, default=0.2, help='share for validation [0.2]')
    parser.add_argument('--test', type=float, default=0.0, help='share for the test [0]')
    parser.add_argument('--seed', type=int, default=0, help='of the split [0]')
    parser.add_argument(
        '--unannotated',
        choices=['negative', 'skip'],
        help='images without annotation: without a plate, or skipped [negative, but for coco and '
        'cvat, which list their images]',
    )
    parser.add_argument('--link', action='store_true', help='hard links in place of copies')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT where a conversion wrote it'
    )
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = make_parser().parse_args(argv)

    from ..conversion import convert
    from ..conversion.summary import write_summary
    from ..utils.progress import progress_bar

    options = vars(args)
    rename = dict(options.pop('classes'))
    with progress_bar() as bar:
        task = bar.add_task('reading images', total=None)
        report = convert(
            **options,
            rename=rename,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    write_summary(report)
    return 0
