"""Draw contact sheets of a data set: boxes as annotated, and after the config's augmentation."""

import argparse
from pathlib import Path

EXAMPLES = """
examples:
  python tools/analysis_tools/browse_dataset.py configs/frcnn_cleargrasp_plates.py
  python tools/analysis_tools/browse_dataset.py configs/frcnn_cleargrasp_plates.py \\
      --data-root ~/my_plates --count 32
  python tools/analysis_tools/browse_dataset.py ~/my_plates

writes OUT/train_before.png and OUT/train_after.png, the same images at the same places; of a
folder, which has no augmentation, a sheet for every split
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', metavar='CONFIG|FOLDER', type=Path)
    parser.add_argument('--data-root', metavar='DIR', help='a folder of your own data')
    parser.add_argument('--count', type=int, default=16, help='images a sheet [16]')
    parser.add_argument('--size', type=int, default=320, help='pixels of an image on it [320]')
    parser.add_argument('--seed', type=int, default=0, help='of the augmentation [0]')
    parser.add_argument('--out', type=Path, help='folder to write [work_dirs/browse/NAME]')
    args = parser.parse_args()
    for option in ('count', 'size'):
        if getattr(args, option) < 1:
            parser.error(f'--{option} {getattr(args, option)}: expected 1 or more')
    return args


def main() -> None:
    args = parse_args()

    # Late, so that --help and a wrong option answer at once.
    from mmdet_cleargrasp.engine.browsing import browse_config, browse_folder
    from mmdet_cleargrasp.engine.run_config import load_config, use_data_root
    from mmdet_cleargrasp.utils.errors import friendly_exit

    out = args.out or Path('work_dirs') / 'browse' / args.source.resolve().stem
    with friendly_exit():
        if args.source.is_dir():
            sheets = browse_folder(args.source, out, args.count, args.size)
        else:
            cfg = load_config(args.source)
            if args.data_root:
                use_data_root(cfg, args.data_root, split_dir=out / 'splits')
            sheets = browse_config(cfg, out, args.count, args.size, args.seed)
        for sheet in sheets:
            print(f'wrote {sheet}')


if __name__ == '__main__':
    main()
