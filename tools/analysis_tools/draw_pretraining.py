"""Draw what a pretrained network sees in photographs: mask, outlines and surface normals."""

import argparse
from pathlib import Path

EXAMPLES = """
example:
  python tools/analysis_tools/draw_pretraining.py configs/pretrain/resnet50_plates.py \\
      work_dirs/resnet50_plates/backbone.pth photographs/ --out seen.png
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='of the pretraining')
    parser.add_argument('checkpoint', help='its backbone.pth')
    parser.add_argument('photographs', nargs='+', type=Path, help='image files or folders of them')
    parser.add_argument('--out', type=Path, default=Path('seen.png'), help='picture [seen.png]')
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    import cv2

    from mmdet_cleargrasp.engine.run_config import load_config
    from mmdet_cleargrasp.pretraining.inference import draw_photographs, load_network
    from mmdet_cleargrasp.utils.errors import ConfigError, friendly_exit

    with friendly_exit():
        files = [
            file
            for path in args.photographs
            for file in (sorted(path.glob('*.[jp][pn]g')) if path.is_dir() else [path])
        ]
        network = load_network(load_config(args.config), args.checkpoint)
        picture = draw_photographs(network, files)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        if args.out.suffix.lower() not in ('.png', '.jpg') or not cv2.imwrite(
            str(args.out), picture
        ):
            raise ConfigError(f'cannot write {args.out}: expected a name that ends in .png or .jpg')
        print(f'{len(files)} photograph(s), drawn in {args.out}')


if __name__ == '__main__':
    main()
