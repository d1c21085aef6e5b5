"""Show what a backbone file is, and write the plain backbone."""

import argparse
from pathlib import Path

EXAMPLES = """
examples:
  python tools/model_converters/extract_backbone.py cleargrasp_mask.pth
  python tools/model_converters/extract_backbone.py cleargrasp_mask.pth checkpoints/backbone.pth
  python tools/model_converters/extract_backbone.py work_dirs/run/backbone.pth small.pth --half
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', help="ClearGrasp's, torchvision's or MMDetection's file")
    parser.add_argument('output', nargs='?', type=Path, help='file to write; without it, only show')
    parser.add_argument(
        '--half', action='store_true', help='write 16-bit numbers: half the size, read all the same'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace an existing output')
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from mmdet_cleargrasp.checkpoints import open_backbone
    from mmdet_cleargrasp.checkpoints.writing import plain_backbone, save_atomically
    from mmdet_cleargrasp.utils.errors import ConfigError, friendly_exit

    with friendly_exit():
        file = open_backbone(args.input)
        numbers = sum(tensor.numel() for tensor in file.tensors.values())
        left_out = ', '.join(f'{part} ({count})' for part, count in file.left_out.items())
        print(f'file      {file.path} ({file.path.stat().st_size / 1e6:.1f} MB)')
        print(f'family    {file.family.name}')
        print(
            f'read by   backbone=dict({file.family.config}, ...)'
            if file.family.config
            else 'read by   no backbone of this version'
        )
        print(f'backbone  {len(file.tensors)} tensors, {numbers / 1e6:.2f} million numbers')
        print(f'left out  {left_out or "nothing"}')
        print(f'epoch     {file.epoch if file.epoch is not None else "the file does not say"}')
        print(f'note      {file.note or "none"}')
        if args.output:
            if args.output.exists() and not args.overwrite:
                raise ConfigError(f'{args.output} exists; --overwrite replaces it')
            content = plain_backbone(file, half=args.half)
            print(f'wrote     {save_atomically(content, args.output)}')


if __name__ == '__main__':
    main()
