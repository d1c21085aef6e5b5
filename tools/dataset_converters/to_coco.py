"""Convert a data set of another format into the COCO layout that training reads."""

import argparse

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

The source is only read. Splits that it has are kept; otherwise images are parted at random, by the
seed and their names, or with --group-by so that photographs of one plate stay together.
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('src', help='folder of the source')
    parser.add_argument('out', help='folder to write')
    parser.add_argument(
        '--format', choices=['labelme', 'voc', 'yolo', 'cvat', 'coco', 'masks'], dest='format_name'
    )
    parser.add_argument(
        '--classes',
        nargs='+',
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
    parser.add_argument('--resplit', action='store_true', help="part anew, not as the source's")
    parser.add_argument('--val', type=float, default=0.2, help='share for validation [0.2]')
    parser.add_argument('--test', type=float, default=0.0, help='share for the test [0]')
    parser.add_argument('--seed', type=int, default=0, help='of the parting [0]')
    parser.add_argument(
        '--unannotated',
        choices=['negative', 'skip'],
        help='images without annotation: without a plate, or left out [negative, but for coco and '
        'cvat, which list their images]',
    )
    parser.add_argument('--link', action='store_true', help='hard links in place of copies')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT where a conversion wrote it'
    )
    args = parser.parse_args()
    for pair in args.classes:
        if not all(pair.partition('=')):
            parser.error(f'--classes {pair}: expected OLD=NEW')
    return args


def main() -> None:
    args = parse_args()

    # Late, so that --help and a wrong option answer at once.
    from mmdet_cleargrasp.conversion import convert
    from mmdet_cleargrasp.conversion.summary import write_summary
    from mmdet_cleargrasp.utils.errors import friendly_exit
    from mmdet_cleargrasp.utils.progress import progress_bar

    options = vars(args)
    rename = dict(pair.split('=', 1) for pair in options.pop('classes'))
    with friendly_exit():
        with progress_bar() as bar:
            task = bar.add_task('reading images', total=None)
            report = convert(
                **options,
                rename=rename,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        write_summary(report)


if __name__ == '__main__':
    main()
