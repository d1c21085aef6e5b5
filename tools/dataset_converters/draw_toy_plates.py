"""Draw a tiny data set of plates, to try the tools on."""

import argparse

EXAMPLES = """
example:
  python tools/dataset_converters/draw_toy_plates.py work_dirs/toy_plates
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('output', help='folder to write')
    parser.add_argument('--train', type=int, default=24, help='training images [24]')
    parser.add_argument('--val', type=int, default=8, help='validation images [8]')
    parser.add_argument(
        '--size', type=int, default=256, help="pixels of an image's longer side [256]"
    )
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates
    from mmdet_cleargrasp.utils.errors import friendly_exit

    with friendly_exit():
        out = write_toy_plates(args.output, args.train, args.val, args.size, args.seed)
        print(f'wrote {args.train} training and {args.val} validation images to {out}')


if __name__ == '__main__':
    main()
