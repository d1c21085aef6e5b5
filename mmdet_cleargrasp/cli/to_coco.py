"""Convert a data set from another format to COCO."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .arguments import new_parser
from .command import SUCCESS, command

#: Exit status if annotated images were skipped.
INCOMPLETE = 3

EXAMPLES = """
formats, recognized automatically (--format selects one):
  labelme  LabelMe, X-AnyLabeling: one JSON per image       voc  Pascal VOC's XML
  yolo     YOLO, Darknet: one text file per image           cvat CVAT for images 1.1
  coco     COCO with any name, Label Studio's export        masks PNG masks
  labelstudio  Label Studio's JSON of tasks

examples:
  python tools/dataset_converters/to_coco.py ~/labelme_plates data/my_plates
  python tools/dataset_converters/to_coco.py ~/yolo_export data/my_plates \\
      --classes dish=petri_dish plate96=multiwell_plate lid=
  python tools/dataset_converters/to_coco.py ~/plates data/my_plates --group-by 'plate(\\d+)' \\
      --val 0.2 --test 0.1
then:
  python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root data/my_plates

The source is not modified. Its splits are kept; otherwise images are split at random, by seed and
file name. With --group-by, images of the same plate go into the same split. Skipped images and
boxes are listed in OUT/conversion.json; the exit status is 3 if annotated images were skipped.
"""


def split_name(text: str) -> tuple[str, str]:
    """Argument type: ``NAME=SPLIT``, the name of a split in the source and the split to write.

    Args:
        text: Value on the command line.

    Raises:
        argparse.ArgumentTypeError: The text is malformed, or the split is unknown.

    Example:
        >>> split_name('week1=train')
        ('week1', 'train')
    """
    name, _, split = text.rpartition('=')
    if not name or split not in ('train', 'val', 'test'):
        raise argparse.ArgumentTypeError(f'{text}: expected NAME=train, NAME=val or NAME=test')
    return name, split


#: Keys of ``conversion.formats.FORMATS``, repeated here so that --help does not import them.
FORMAT_NAMES = ('labelme', 'voc', 'yolo', 'cvat', 'coco', 'labelstudio', 'masks')


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('src', help='source folder')
    parser.add_argument('out', help='folder to write')
    parser.add_argument(
        '--format',
        choices=FORMAT_NAMES,
        dest='format_name',
        help='label format [recognized]',
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        default=[],
        metavar='CLASS',
        help='OLD=NEW renames a class (classes with the same new name are merged), OLD= drops its '
        'boxes, NAME keeps it and drops all classes that are not listed',
    )
    parser.add_argument(
        '--group-by',
        metavar='REGEX',
        help='keep images in the same split if this expression matches the same text in their path '
        '(its first group, or the whole match); "parent" groups by folder',
    )
    parser.add_argument(
        '--splits',
        nargs='+',
        type=split_name,
        default=[],
        metavar='NAME=SPLIT',
        help='map split names of the source, such as week1=train week2=val',
    )
    parser.add_argument('--resplit', action='store_true', help='ignore the splits of the source')
    parser.add_argument(
        '--val', type=float, default=0.2, help='fraction of validation images [0.2]'
    )
    parser.add_argument('--test', type=float, default=0.0, help='fraction of test images [0]')
    parser.add_argument('--seed', type=int, default=0, help='random seed of the split [0]')
    parser.add_argument(
        '--unannotated',
        choices=['negative', 'skip'],
        help='keep images without annotation as images without a plate, or skip them [skip; '
        'negative for YOLO, which has no file for such images]',
    )
    parser.add_argument(
        '--drawn-on',
        choices=['upright', 'stored'],
        help='whether boxes were drawn with EXIF rotation applied (upright) or not (stored), if '
        'image sizes do not show it [upright, with a warning]',
    )
    parser.add_argument('--link', action='store_true', help='create hard links instead of copies')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it was written by a conversion'
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
