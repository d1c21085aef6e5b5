"""Render transparent plates with exact ground truth.

Existing images are kept, so run the command again to resume. See docs/rendering.md.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from .arguments import at_least, command_name, new_parser, picture_file
from .command import command

#: Variants of Mitsuba.
VARIANTS = ('scalar_rgb', 'llvm_ad_rgb', 'cuda_ad_rgb')

EXAMPLES = """
examples:
  # the embedded data set, two images at a time; run it again to resume after an interruption
  python tools/render_plates.py configs/rendering/plates.yaml data/plates --processes 2

  # your own spec, with normals, depth and outlines in ClearGrasp's folders
  cp configs/rendering/example.yaml my_plates.yaml
  python tools/render_plates.py my_plates.yaml work_dirs/my_plates

  # contact sheet of 40 images with boxes, masks, normals and outlines
  python tools/render_plates.py my_plates.yaml work_dirs/my_plates --contact-sheet sheet.jpg
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    parser.add_argument('spec', type=Path, help='YAML spec of the data set')
    parser.add_argument('folder', type=Path, help='output folder')
    parser.add_argument(
        '--processes', type=at_least(1), default=1, help='images rendered at a time [1]'
    )
    parser.add_argument(
        '--variant',
        choices=('auto', *VARIANTS),
        default='auto',
        help="Mitsuba's variant: scalar_rgb works everywhere, llvm_ad_rgb is several times as fast "
        'and needs LLVM 19 or newer, cuda_ad_rgb needs an NVIDIA GPU [the fastest that works here]',
    )
    parser.add_argument(
        '--contact-sheet',
        type=picture_file,
        metavar='FILE',
        help='also write a contact sheet of 40 images with labels',
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

    from concurrent.futures.process import BrokenProcessPool

    from plate_renderer.output.contact_sheet import contact_sheet
    from plate_renderer.output.dataset import write_dataset
    from plate_renderer.output.pathtracer import MissingRendererError
    from plate_renderer.scene.spec import SpecError, read_spec

    from ..utils.errors import ConfigError, UserError
    from ..utils.progress import progress_bar

    arguments = shlex.join(sys.argv[1:] if argv is None else argv)
    try:
        spec = read_spec(args.spec)
        with progress_bar() as bar:
            task = bar.add_task('rendering', total=None)
            failures = write_dataset(
                spec,
                args.folder,
                args.processes,
                args.variant,
                f'{command_name()} {arguments}',
                lambda done, total: bar.update(task, completed=done, total=total),
            )
    except (SpecError, MissingRendererError) as error:
        raise ConfigError(str(error)) from error
    except BrokenProcessPool as error:
        raise UserError(
            'a rendering process was killed, perhaps out of memory: finished images are in '
            f'{args.folder}; run the same command with fewer --processes'
        ) from error
    except KeyboardInterrupt:
        print(
            f'finished images are in {args.folder}; run the same command to resume', file=sys.stderr
        )
        raise
    if args.contact_sheet:
        from ..visualization.contact_sheets import save

        sheet = contact_sheet(args.folder, list(spec.splits), 40, columns=4, width=320)
        save(args.contact_sheet, sheet)
        print(f'contact sheet: {args.contact_sheet}')
    for failure in failures:
        print(f'skipped {failure.split} {failure.index}: {failure.reason}', file=sys.stderr)
    total = sum(split.images for split in spec.splits.values())
    print(
        f'{total - len(failures)} of {total} images are in {args.folder}, '
        f'annotations in {args.folder / "annotations"}'
    )
    return 1 if failures else 0
