"""Write a ClearGrasp ResNet of random weights: the control of a comparison."""

import argparse
from pathlib import Path

EXAMPLES = """
example:
  python tools/model_converters/random_backbone.py data/plates/train checkpoints/random_resnet50.pth
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('images', type=Path, help='folder of .jpg or .png to measure batch norm on')
    parser.add_argument('output', help='file to write')
    parser.add_argument('--depth', type=int, default=50, choices=(18, 34, 50, 101, 152))
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--max-images', type=int, default=16, help='images to measure on [16]')
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from mmdet_cleargrasp.checkpoints.random_weights import write_random_backbone
    from mmdet_cleargrasp.utils.errors import DataError, friendly_exit

    with friendly_exit():
        images = sorted(
            p for p in args.images.glob('*') if p.suffix.lower() in ('.jpg', '.jpeg', '.png')
        )
        if not images:
            raise DataError(f'no .jpg or .png in {args.images}')
        chosen = images[: args.max_images]
        out = write_random_backbone(args.output, chosen, args.depth, args.seed)
        made = f'random ResNet-{args.depth}, seed {args.seed}, measured on {len(chosen)} images'
        print(f'wrote {out}: {made}')


if __name__ == '__main__':
    main()
