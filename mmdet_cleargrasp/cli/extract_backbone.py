"""Identify a backbone checkpoint, and write the backbone alone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/model_converters/extract_backbone.py cleargrasp_mask.pth
  python tools/model_converters/extract_backbone.py cleargrasp_mask.pth checkpoints/backbone.pth
  python tools/model_converters/extract_backbone.py work_dirs/run/backbone.pth small.pth --half
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('input', help="ClearGrasp's, torchvision's or MMDetection's file")
    parser.add_argument(
        'output', nargs='?', type=Path, help='file to write; without it, only identify the input'
    )
    parser.add_argument('--half', action='store_true', help='write float16, which halves the size')
    parser.add_argument('--overwrite', action='store_true', help='replace an existing output')
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

    from ..checkpoints import open_backbone
    from ..checkpoints.checksums import checksum_warning
    from ..checkpoints.writing import plain_backbone, save_atomically
    from ..utils.atomic_files import refuse_unwritable
    from ..utils.errors import ConfigError

    if args.output:
        refuse_unwritable(args.output, 'output')
    file = open_backbone(args.input)
    numbers = sum(tensor.numel() for tensor in file.tensors.values())
    skipped = ', '.join(f'{part} ({count})' for part, count in file.skipped.items())
    print(f'file      {file.path} ({file.path.stat().st_size / 1e6:.1f} MB)')
    print(f'family    {file.family.name}')
    print(
        f'read by   backbone=dict({file.family.config}, ...)'
        if file.family.config
        else 'read by   no backbone of this package'
    )
    print(f'backbone  {len(file.tensors)} tensors, {numbers / 1e6:.2f} million values')
    print(f'skipped   {skipped or "nothing"}')
    print(f'epoch     {file.epoch if file.epoch is not None else "the file does not say"}')
    print(f'stride    {file.trained_stride or "the file does not say"} (output stride of training)')
    print(f'note      {file.note or "none"}')
    print(f'checksums {checksum_warning(args.input) or "ok"}')
    if args.output:
        if args.output.exists() and not args.overwrite:
            raise ConfigError(f'{args.output} exists; --overwrite replaces it')
        content = plain_backbone(file, half=args.half)
        print(f'wrote     {save_atomically(content, args.output)}')
    return 0
