"""Checks of a COCO data set that are fast and prevent a failed or silently wrong run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..utils.errors import DataError
from ..utils.findings import Finding, error, ok, warning
from .annotations import CONVERT, CocoFile, needs_renumbering, read_coco
from .box_conventions import FARTHEST, is_box, other_convention
from .images import MAX_ASPECT, check_image, find_file
from .split import Split

#: How many examples a message names.
EXAMPLES = 3
#: Characters of an example that are shown.
LONGEST = 80
#: How many classes the summary counts one by one.
MOST_NAMED = 20
#: Categories, beyond which something else was taken for the class; LVIS has 1203.
MOST_CATEGORIES = 10_000
#: Pixels of the shorter side below which MMDetection skips an image in training (``min_size``).
SMALLEST = 32
#: Threads that look at images: the wait is for the file system.
READERS = 8


def check_split(
    name: str, ann_file: str | Path, img_dir: str | Path, classes: Sequence[str]
) -> list[Finding]:
    """Compare an annotation file with the configured classes and the images on disk.

    Args:
        name: What the findings call it, such as ``'train data'``.
        ann_file: The COCO file.
        img_dir: The folder of its images.
        classes: The configured class names.

    Returns:
        Errors and warnings, or one finding that counts what is there.

    Raises:
        DataError: The file cannot be read as COCO.
    """
    coco = read_coco(ann_file)
    findings = [
        *_check_ids(coco),
        *_check_classes(coco, classes),
        *_check_boxes(coco),
        *_check_images(coco, Path(img_dir)),
    ]
    if not any(finding.level == 'error' for finding in findings):
        findings.insert(0, ok(name, _summary(coco)))
    return [Finding(finding.level, name, finding.text) for finding in findings]


def _summary(coco: CocoFile) -> str:
    names = {category['id']: category['name'] for category in coco.categories}
    boxes = Counter(names.get(a['category_id']) for a in coco.annotations)
    counts = ', '.join(f'{name} {boxes[name]}' for name in coco.classes[:MOST_NAMED])
    if len(coco.classes) > MOST_NAMED:
        counts += f' and {len(coco.classes) - MOST_NAMED} more classes'
    return f'{len(coco.images)} images, {len(coco.annotations)} boxes ({counts})'


def _check_ids(coco: CocoFile) -> Iterable[Finding]:
    for section in ('images', 'annotations', 'categories'):
        counts = Counter(entry['id'] for entry in getattr(coco, section))
        twice = [key for key, count in counts.items() if count > 1]
        if twice:
            yield error('', f'{coco.path}: {_some(twice)} used twice as id in {section!r}')
    if needs_renumbering(coco):
        yield error(
            '',
            f'{coco.path}: annotation ids have to be whole numbers from 1 on, for pycocotools '
            'counts a box of id 0 as missed. Renumber them, or use --data-root, which does.',
        )
    if len(coco.categories) > MOST_CATEGORIES:
        yield error(
            '',
            f'{coco.path} lists {len(coco.categories):,} categories, expected at most '
            f'{MOST_CATEGORIES:,}: probably each box got its own. Merge them.',
        )
    names = Counter(coco.classes)
    shared = [name for name, count in names.items() if count > 1]
    if shared:
        yield error('', f'{coco.path}: {_some(shared)} is the name of several categories')
    images = {image['id'] for image in coco.images}
    categories = {category['id'] for category in coco.categories}
    for key, known in (('image_id', images), ('category_id', categories)):
        unknown = {a[key] for a in coco.annotations} - known
        if unknown:
            yield error(
                '', f'{coco.path}: annotations have {key} {_some(unknown)}, which is not there'
            )
    if not coco.images:
        yield error('', f'{coco.path} lists no image')
    elif not coco.annotations:
        yield error('', f'{coco.path} has no box in {len(coco.images)} images')


def _check_classes(coco: CocoFile, classes: Sequence[str]) -> Iterable[Finding]:
    there, listed, wanted = coco.classes, set(coco.classes), set(classes)
    absent = [name for name in classes if name not in listed]
    if absent:
        yield error(
            '',
            f'{coco.path} has the categories {_some(there)}, the config asks for {_some(classes)}: '
            f'{_some(absent)} not in the file. Set classes to the names in the file, or use '
            '--data-root, which does.',
        )
        return
    order = tuple(name for name in there if name in wanted)
    if order != tuple(classes):
        # mmdet numbers labels in the file's order: another order in the config swaps the names.
        yield error(
            '',
            f'{coco.path} lists its categories as {_some(order)}, the config as '
            f"{_some(classes)}: mmdet labels by the file's order, so names would be swapped. Use "
            "the file's order.",
        )
    left_out = [name for name in there if name not in wanted]
    if left_out:
        yield warning('', f'{coco.path}: categories {_some(left_out)} are not in classes: left out')
    used = {a['category_id'] for a in coco.annotations}
    unused = [c['name'] for c in coco.categories if c['id'] not in used and c['name'] in wanted]
    if unused:
        yield warning(
            '', f'{coco.path} has no box of {_some(unused)}: it cannot be learned or scored'
        )


def _check_boxes(coco: CocoFile) -> Iterable[Finding]:
    sizes = {image['id']: (image['width'], image['height']) for image in coco.images}
    sizeless = [key for key, size in sizes.items() if not all(_is_length(v) for v in size)]
    if sizeless:
        yield error(
            '', f'{coco.path}: width or height of image {_some(sizeless)} is no number of pixels'
        )
        return
    malformed = [a['id'] for a in coco.annotations if not is_box(a['bbox'])]
    if malformed:
        yield error(
            '',
            f'{coco.path}: bbox of annotation {_some(malformed)} is not four finite numbers x, y, '
            'width, height in pixels',
        )
    elif fault := other_convention(coco):
        yield error('', f'{coco.path}: {fault}. {CONVERT}')
    yield from _check_duplicates(coco)
    crowds = [a['id'] for a in coco.annotations if a['iscrowd']]
    if crowds and len(crowds) == len(coco.annotations):
        yield error(
            '',
            f'{coco.path}: every box is marked iscrowd, so that none is learned or scored. Set '
            'iscrowd to 0, or let tools/dataset_converters/to_coco.py do it',
        )
    sound = [a for a in coco.annotations if is_box(a['bbox']) and a['image_id'] in sizes]
    boxes = [(a['id'], a['bbox'], sizes[a['image_id']]) for a in sound]
    ignored = [a['id'] for a in sound if not a['area'] > 0 or a.get('ignore')]
    if ignored:
        yield warning(
            '', f'{coco.path}: mmdet skips annotation {_some(ignored)}: no area, or marked ignore'
        )
    if sound and all(_is_skipped(box, size) or key in set(ignored) for key, box, size in boxes):
        yield error('', f'{coco.path}: mmdet would skip every one of its {len(boxes)} boxes')
    tests: dict[str, Callable[[list[float], Any], bool]] = {
        'is narrower than a pixel or lies outside its image: mmdet skips it': _is_skipped,
        'reaches beyond its image': lambda b, size: (
            not _is_skipped(b, size) and _overhangs(b, size)
        ),
    }
    for text, test in tests.items():
        ids = [key for key, box, size in boxes if test(box, size)]
        if ids:
            yield warning('', f'{coco.path}: {len(ids)} box(es) {text} (annotation {_some(ids)})')


def _check_duplicates(coco: CocoFile) -> Iterable[Finding]:
    """Boxes that are listed twice: of two equal ones, only one can be found."""
    seen: set[str] = set()
    twice = []
    for a in coco.annotations:
        key = str((a['image_id'], a['category_id'], a['bbox']))
        if key in seen:
            twice.append(a['id'])
        seen.add(key)
    if twice:
        yield warning(
            '',
            f'{coco.path}: {len(twice)} box(es) are listed twice (annotation {_some(twice)}): one '
            'of two can never be found, so that recall and AP fall. Remove them, or let '
            'tools/dataset_converters/to_coco.py do it',
        )


def check_overlap(name: str, split: Split, train: Split) -> list[Finding]:
    """Warn of images that are trained on as well.

    Args:
        name: What the finding calls the split, such as ``'val data'``.
        split: Of validation or test.
        train: Of training.

    Raises:
        DataError: One of the files cannot be read as COCO.
    """
    trained = set(_real_paths(train))
    images = list(_real_paths(split))
    both = [path for path in images if path in trained]
    if not both:
        return []
    names = _some(os.path.basename(path) for path in both)
    return [
        warning(
            name,
            f'{len(both)} of {len(images)} images of {split.ann_file} are also in '
            f'{train.ann_file} ({names}): figures on images that were trained on say nothing of '
            'others',
        )
    ]


def _real_paths(split: Split) -> Iterable[str]:
    for image in read_coco(split.ann_file).images:
        yield os.path.realpath(find_file(split.img_dir / image['file_name']))


def _is_length(value: float) -> bool:
    return 0 < value <= FARTHEST


def _is_skipped(box: list[float], size: tuple[float, float]) -> bool:
    x, y, width, height = box
    inside_w = min(x + width, size[0]) - max(x, 0)
    inside_h = min(y + height, size[1]) - max(y, 0)
    return width < 1 or height < 1 or inside_w <= 0 or inside_h <= 0


def _overhangs(box: list[float], size: tuple[float, float], tolerance: float = 1.0) -> bool:
    x, y, width, height = box
    return (
        min(x, y) < -tolerance
        or x + width > size[0] + tolerance
        or y + height > size[1] + tolerance
    )


def _check_images(coco: CocoFile, img_dir: Path) -> Iterable[Finding]:
    names = [str(image['file_name']) for image in coco.images]
    unsafe = [name for name in names if _leaves_folder(name)]
    if unsafe:
        yield error('', f'{coco.path}: file_name {_some(unsafe)} leads out of the image folder')
        return
    absent = {name for name in names if not os.path.lexists(find_file(img_dir / name))}
    if absent:
        yield error(
            '',
            f'{len(absent)} of {len(names)} images are not in {img_dir}: {_some(sorted(absent))}',
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        yield warning('', f'{coco.path} lists {_some(twice)} as several images')
    yield from _check_files([i for i in coco.images if i['file_name'] not in absent], img_dir)


def _check_files(images: list[dict[str, Any]], img_dir: Path) -> Iterable[Finding]:
    """Check headers and ends of files, and compare the sizes with the listed ones."""
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(_size_or_problem, [img_dir / image['file_name'] for image in images]))
    broken = [problem for problem in found if isinstance(problem, str)]
    if broken:
        more = f' (and {len(broken) - EXAMPLES} more)' if len(broken) > EXAMPLES else ''
        yield error(
            '',
            f'{len(broken)} of {len(images)} images cannot be read: '
            f'{"; ".join(broken[:EXAMPLES])}{more}',
        )
    readable = [(i, size) for i, size in zip(images, found, strict=True) if isinstance(size, tuple)]
    other = [
        f'{i["file_name"]} is {size[0]} x {size[1]}, listed as {i["width"]} x {i["height"]}'
        for i, size in readable
        if (i['width'], i['height']) != size
    ]
    if other:
        yield error(
            '',
            f'{len(other)} of {len(images)} images have another size than the annotations say, so '
            f'that boxes would be elsewhere: {other[0]}. Annotate the files as they are, or export '
            'again; where only the sizes are wrong, tools/dataset_converters/to_coco.py leaves '
            'these images out.',
        )
    yield from _check_shapes({i['file_name']: size for i, size in readable})


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
            f'skips them ({_some(small)})',
        )


def _size_or_problem(path: Path) -> tuple[int, int] | str:
    try:
        return check_image(path)
    except DataError as reason:
        return str(reason)


def _leaves_folder(name: str) -> bool:
    return any(
        path.is_absolute() or '..' in path.parts
        for path in (PurePosixPath(name), PureWindowsPath(name))
    )


def _some(items: Iterable[Any]) -> str:
    items = list(items)
    shown = ', '.join(repr(item)[:LONGEST] for item in items[:EXAMPLES])
    return shown + (f' and {len(items) - EXAMPLES} more' if len(items) > EXAMPLES else '')
