"""Conventions of a box's four numbers, in files that differ from their format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .annotations import CocoFile

Numbers = tuple[float, float, float, float]

#: Readings of four numbers as left, top, right and bottom.
READINGS: dict[str, Callable[[float, float, float, float], Numbers]] = {
    'x, y, width, height': lambda x, y, w, h: (x, y, x + w, y + h),
    'x1, y1, x2, y2': lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    'center x, center y, width, height': lambda x, y, w, h: (
        x - w / 2, y - h / 2, x + w / 2, y + h / 2,
    ),
}  # fmt: skip
#: Share of an image's side by which a box may exceed it.
TOLERANCE = 0.02
#: Share of the boxes that have to contradict a format before another convention is tried.
CONTRADICTING = 0.25


#: Larger numbers of pixels are not positions in an image.
FARTHEST = 1e9


def is_box(bbox: Any) -> bool:
    """Whether a ``bbox`` is four finite numbers.

    Example:
        >>> is_box([1, 2, 3, 4.5]), is_box([1, 2, 3]), is_box([1, 2, 3, float('nan')])
        (True, False, False)
    """
    return isinstance(bbox, list) and len(bbox) == 4 and all(_is_number(v) for v in bbox)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= FARTHEST


@dataclass(frozen=True)
class Sample:
    """Four numbers that a file has for a box.

    Attributes:
        numbers: In pixels, or in relative coordinates for a size of (1, 1).
        size: Width and height of the image, in the same unit.
        area: Of the box in the same unit, where the file says it.
    """

    numbers: Numbers
    size: tuple[float, float]
    area: float | None = None


def reading_of(samples: Sequence[Sample], expected: str) -> str:
    """The reading, in :data:`READINGS`, that fits the boxes of a file.

    Another than the expected one is returned only where that contradicts the images' sizes or the
    boxes' areas, and the other fits every box.

    Args:
        samples: All boxes of a file.
        expected: What the format has.

    Example:
        >>> corners = [Sample((60, 20, 90, 70), (100, 80)), Sample((50, 50, 80, 70), (100, 80))]
        >>> reading_of(corners, expected='x, y, width, height')
        'x1, y1, x2, y2'
    """
    contradicting = sum(not _fits(sample, expected) for sample in samples)
    by_area = any(_contradicts_area(sample, expected) for sample in samples)
    if not by_area and contradicting < max(2, CONTRADICTING * len(samples)):
        return expected
    fitting = [
        name
        for name in READINGS
        if all(_fits(s, name) and not _contradicts_area(s, name) for s in samples)
    ]
    return fitting[0] if len(fitting) == 1 else expected


def are_shares(boxes: Sequence[Numbers]) -> bool:
    """Whether boxes are in relative coordinates instead of pixels.

    Example:
        >>> are_shares([(0.25, 0.5, 0.1, 0.125)]), are_shares([(0, 0, 1, 1)]), are_shares([])
        (True, False, False)
    """
    values = [value for box in boxes for value in box]
    fractions = any(not float(value).is_integer() for value in values)
    return fractions and all(0 <= value <= 1 for value in values)


def other_convention(coco: CocoFile) -> str | None:
    """How a COCO file writes boxes, where they aren't x, y, width and height in pixels.

    Args:
        coco: Boxes are four numbers, see :func:`is_box`.
    """
    rotated = [a['id'] for a in coco.annotations if _rotation(a) and not a.get('segmentation')]
    if rotated:
        return (
            f'{len(rotated)} boxes have attributes.rotation, as CVAT writes it, and bbox without it'
        )
    sizes = {image['id']: (image['width'], image['height']) for image in coco.images}
    boxes = [
        (a['bbox'], sizes[a['image_id']], a['area'] if _is_number(a['area']) else None)
        for a in coco.annotations
        if a['image_id'] in sizes and all(0 < v <= FARTHEST for v in sizes[a['image_id']])
    ]
    if are_shares([box for box, _, _ in boxes]):
        return 'bbox is in relative coordinates, expected pixels'
    expected = next(iter(READINGS))
    reading = reading_of([Sample(*box) for box in boxes], expected)
    return None if reading == expected else f'bbox holds {reading}, expected {expected}'


def _rotation(annotation: dict[str, Any]) -> bool:
    attributes = annotation.get('attributes')
    rotation = attributes.get('rotation') if isinstance(attributes, dict) else None
    return rotation is not None and _is_number(rotation) and rotation % 360 != 0


def _fits(sample: Sample, name: str) -> bool:
    left, top, right, bottom = READINGS[name](*sample.numbers)
    slack = [side * TOLERANCE for side in sample.size]
    return (
        -slack[0] <= left < right <= sample.size[0] + slack[0]
        and -slack[1] <= top < bottom <= sample.size[1] + slack[1]
    )


def _contradicts_area(sample: Sample, name: str) -> bool:
    """Whether a box's area is that of another reading and not that of this one."""
    area = sample.area
    if not area:
        return False

    def agrees(reading: str) -> bool:
        left, top, right, bottom = READINGS[reading](*sample.numbers)
        return abs((right - left) * (bottom - top) / area - 1) < 0.02

    return not agrees(name) and any(agrees(other) for other in READINGS)
