"""Image files of a split."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ...utils.errors import DataError
from ...utils.findings import EXAMPLES, Finding, error, examples, warning
from ..annotations import SIZE_FROM_FILE, CocoFile
from ..images import MAX_ASPECT, Header, check_image, find_file

#: Pixels of the shorter side below which MMDetection skips an image in training (``min_size``).
SMALLEST = 32
#: EXIF orientations that keep width and height: mirrored, turned by 180 degrees, or both.
HALF_TURNS = (2, 3, 4)
#: Threads that look at images: the wait is for the file system.
READERS = 8


def check_images(coco: CocoFile, img_dir: Path) -> Iterable[Finding]:
    """Check that the images are there, can be read, and have the sizes that are listed.

    Args:
        coco: The annotation file.
        img_dir: The folder of its images.
    """
    names = [str(image['file_name']) for image in coco.images]
    unsafe = [name for name in names if _leaves_folder(name)]
    if unsafe:
        yield error('', f'{coco.path}: file_name {examples(unsafe)} is outside the image folder')
        return
    absent = {name for name in names if not os.path.lexists(find_file(img_dir / name))}
    if absent:
        yield error(
            '',
            f'{len(absent)} of {len(names)} images are not in {img_dir}: '
            f'{examples(sorted(absent))}',
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        yield warning('', f'{coco.path} lists {examples(twice)} as several images')
    yield from _check_files([i for i in coco.images if i['file_name'] not in absent], img_dir)


def _check_files(images: list[dict[str, Any]], img_dir: Path) -> Iterable[Finding]:
    """Check headers and ends of files, and compare the sizes with the listed ones."""
    with ThreadPoolExecutor(READERS) as pool:
        found = list(
            pool.map(_header_or_problem, [img_dir / image['file_name'] for image in images])
        )
    broken = [problem for problem in found if isinstance(problem, str)]
    if broken:
        more = f' (and {len(broken) - EXAMPLES} more)' if len(broken) > EXAMPLES else ''
        yield error(
            '',
            f'{len(broken)} of {len(images)} images cannot be read: '
            f'{"; ".join(broken[:EXAMPLES])}{more}',
        )
    readable = [(i, h) for i, h in zip(images, found, strict=True) if isinstance(h, Header)]
    other = [
        f'{i["file_name"]} is {size[0]} x {size[1]}, listed as {i["width"]} x {i["height"]}'
        for i, (size, _) in readable
        if (i['width'], i['height']) != size
    ]
    if other:
        yield error(
            '',
            f'{len(other)} of {len(images)} images have another size than the annotations say, so '
            f'that boxes would be elsewhere: {other[0]}. Annotate the files as they are, or export '
            'again; where only the sizes are wrong, tools/dataset_converters/to_coco.py skips '
            'these images.',
        )
    yield from _check_shapes({i['file_name']: header.size for i, header in readable})
    yield from _check_orientations(readable)


def _check_shapes(sizes: dict[str, tuple[int, int]]) -> Iterable[Finding]:
    """Images that training drops, or of which resizing leaves nothing."""
    long = {name: size for name, size in sizes.items() if max(size) > MAX_ASPECT * min(size)}
    small = [name for name, size in sizes.items() if min(size) < SMALLEST and name not in long]
    if long:
        name, (width, height) = next(iter(long.items()))
        yield error(
            '',
            f'{len(long)} of {len(sizes)} images are more than {MAX_ASPECT} times as long as wide, '
            f'so that resizing leaves no pixel across ({name!r}: {width} x {height}). Crop or '
            'remove them.',
        )
    if small and len(small) == len(sizes):
        yield error(
            '', f'all {len(sizes)} images are smaller than {SMALLEST} pixels: training skips them'
        )
    elif small:
        yield warning(
            '',
            f'{len(small)} of {len(sizes)} images are smaller than {SMALLEST} pixels: training '
            f'skips them ({examples(small)})',
        )


def _check_orientations(readable: list[tuple[dict[str, Any], Header]]) -> Iterable[Finding]:
    """Rotations that the listed sizes do not show, since they are the same before and after."""
    turned = [
        image['file_name']
        for image, (size, orientation) in readable
        if orientation in HALF_TURNS
        or (orientation != 1 and (size[0] == size[1] or image.get(SIZE_FROM_FILE)))
    ]
    if turned:
        yield warning(
            '',
            f'{len(turned)} of {len(readable)} images are rotated or mirrored by their EXIF data '
            f'({examples(turned)}), and the listed sizes do not show whether the boxes were drawn '
            'before or after that: they are read as drawn on the upright image. Look at them with '
            'tools/analysis_tools/browse_dataset.py.',
        )


def _header_or_problem(path: Path) -> Header | str:
    try:
        return check_image(path)
    except DataError as reason:
        return str(reason)


def _leaves_folder(name: str) -> bool:
    return any(
        path.is_absolute() or '..' in path.parts
        for path in (PurePosixPath(name), PureWindowsPath(name))
    )
