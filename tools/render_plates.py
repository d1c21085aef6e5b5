"""Render transparent plates with exact ground truth: see docs/rendering.md."""

from __future__ import annotations

import argparse
import shlex
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2

VARIANTS = ('scalar_rgb', 'llvm_ad_rgb', 'cuda_ad_rgb')

EXAMPLES = """examples:
  # the embedded data set, two images at a time; run it again to go on after an interruption
  python tools/render_plates.py configs/rendering/plates.yaml data/plates --processes 2

  # your own distribution, with normals, depth and outlines in ClearGrasp's folders
  cp configs/rendering/example.yaml my_plates.yaml
  python tools/render_plates.py my_plates.yaml work_dirs/my_plates

  # 40 pictures with boxes, masks, normals and outlines on one page
  python tools/render_plates.py my_plates.yaml work_dirs/my_plates --contact-sheet sheet.jpg
"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Render transparent plates with exact ground truth. Images that are already '
        'there are kept, so that an interrupted run goes on where it stopped.',
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('spec', type=Path, help='YAML file that says what is drawn')
    parser.add_argument('folder', type=Path, help='where to write the data set')
    parser.add_argument(
        '--processes', type=int, default=1, help='images rendered at a time (default: 1)'
    )
    parser.add_argument(
        '--variant',
        choices=('auto', *VARIANTS),
        default='auto',
        help="Mitsuba's variant: scalar_rgb works everywhere, llvm_ad_rgb is several times as fast "
        'and needs LLVM 19 or newer, cuda_ad_rgb needs an NVIDIA GPU (default: the fastest that '
        'works here)',
    )
    parser.add_argument(
        '--contact-sheet', type=Path, metavar='FILE', help='also draw 40 pictures with their labels'
    )
    parsed = parser.parse_args(arguments)
    if parsed.processes < 1:
        parser.error(f'--processes is {parsed.processes}: give at least 1')
    if parsed.contact_sheet and parsed.contact_sheet.suffix.lower() not in ('.jpg', '.png'):
        parser.error(f'--contact-sheet is {parsed.contact_sheet}: end it in .jpg or .png')
    return parsed


def main(arguments: list[str] | None = None) -> int:
    """Render a data set; returns the exit status."""
    parsed = parse_arguments(arguments)

    # Late, so that --help and a wrong option answer at once.
    from mmdet_cleargrasp.utils.progress import progress_bar
    from plate_renderer.output.contact_sheet import contact_sheet
    from plate_renderer.output.dataset import write_dataset
    from plate_renderer.output.pathtracer import MissingRendererError
    from plate_renderer.scene.spec import SpecError, read_spec

    command = 'python ' + shlex.join(sys.argv if arguments is None else arguments)
    try:
        spec = read_spec(parsed.spec)
        with progress_bar() as bar:
            task = bar.add_task('rendering', total=None)
            failures = write_dataset(
                spec,
                parsed.folder,
                parsed.processes,
                parsed.variant,
                command,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        if parsed.contact_sheet:
            sheet = contact_sheet(parsed.folder, list(spec.splits), 40, columns=4, width=320)
            parsed.contact_sheet.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(parsed.contact_sheet), sheet[..., ::-1])
            print(f'contact sheet: {parsed.contact_sheet}')
    except (SpecError, MissingRendererError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except BrokenProcessPool:
        print(
            f'error: a rendering process was ended from outside, perhaps for want of memory: what '
            f'is done is in {parsed.folder}; run the same command with fewer --processes',
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(
            f'stopped: what is done is in {parsed.folder}; run the same command to go on',
            file=sys.stderr,
        )
        return 130
    for failure in failures:
        print(f'skipped {failure.split} {failure.index}: {failure.reason}', file=sys.stderr)
    total = sum(split.images for split in spec.splits.values())
    print(
        f'{total - len(failures)} of {total} images are in {parsed.folder}, '
        f'annotations in {parsed.folder / "annotations"}'
    )
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
