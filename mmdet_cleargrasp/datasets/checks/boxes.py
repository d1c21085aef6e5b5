"""Boxes of an annotation file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...utils.findings import Finding, error, examples, warning
from ..annotations import CONVERT, CocoFile
from ..box_conventions import FARTHEST, is_box, other_convention


def check_boxes(coco: CocoFile) -> Iterable[Finding]:
    """Check the coordinates of the boxes.

    Args:
        coco: The annotation file.
    """
    sizes = {image['id']: (image['width'], image['height']) for image in coco.images}
    sizeless = [key for key, size in sizes.items() if not all(_is_length(v) for v in size)]
    if sizeless:
        yield error(
            '',
            f'{coco.path}: width or height of image {examples(sizeless)} is not '
            'a positive number of pixels',
        )
        return
    yield from _check_coordinates(coco)
    yield from _check_duplicates(coco)
    yield from _check_skipped(coco, sizes)


def _check_coordinates(coco: CocoFile) -> Iterable[Finding]:
    malformed = [a['id'] for a in coco.annotations if not is_box(a['bbox'])]
    if malformed:
        yield error(
            '',
            f'{coco.path}: bbox of annotation {examples(malformed)} is not four finite numbers '
            'x, y, width, height in pixels',
        )
    elif fault := other_convention(coco):
        yield error('', f'{coco.path}: {fault}. {CONVERT}')


def _check_skipped(coco: CocoFile, sizes: dict[Any, tuple[float, float]]) -> Iterable[Finding]:
    """Boxes that are not trained on, or not scored."""
    crowds = [a['id'] for a in coco.annotations if a['iscrowd']]
    if crowds and len(crowds) == len(coco.annotations):
        yield error(
            '',
            f'{coco.path}: every box is marked iscrowd, so that none is used in training or '
            'scoring. Set iscrowd to 0, or let tools/dataset_converters/to_coco.py do it',
        )
    sound = [a for a in coco.annotations if is_box(a['bbox']) and a['image_id'] in sizes]
    boxes = [(a['id'], a['bbox'], sizes[a['image_id']]) for a in sound]
    ignored = [a['id'] for a in sound if not a['area'] > 0 or a.get('ignore')]
    if ignored:
        yield warning(
            '',
            f'{coco.path}: mmdet skips annotation {examples(ignored)}: no area, or marked ignore',
        )
    dropped = set(ignored)
    if sound and all(key in dropped or _is_skipped(box, size) for key, box, size in boxes):
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
            yield warning(
                '', f'{coco.path}: {len(ids)} box(es) {text} (annotation {examples(ids)})'
            )


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
            f'{coco.path}: {len(twice)} box(es) are listed twice (annotation {examples(twice)}): '
            'one of two can never be found, so that recall and AP fall. Remove them, or let '
            'tools/dataset_converters/to_coco.py do it',
        )


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
