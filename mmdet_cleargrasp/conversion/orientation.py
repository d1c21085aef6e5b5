"""EXIF rotation: whether boxes were drawn before or after it was applied.

Cameras store a photograph in the orientation of the sensor, with the rotation to apply as EXIF
metadata. Training applies it. Some labeling tools apply it too, others do not, and the boxes of
these have to be rotated as well. The image size in an annotation often shows which case it is; for
180 degrees, or without a size, nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from .boxes import Box, Point

#: Whether boxes were drawn on the upright image or on the image as stored.
Pixels = Literal['upright', 'stored']
Size = tuple[float, float]
N = TypeVar('N')

#: EXIF orientations that exchange width and height.
QUARTER_TURNS = (5, 6, 7, 8)


def drawn_on(
    orientation: int, upright: Size, annotated: Size | None, boxes: Sequence[Box]
) -> Pixels | None:
    """Whether boxes were drawn on the upright or the stored image, as far as sizes show it.

    Args:
        orientation: Of EXIF, 1 to 8.
        upright: Width and height with EXIF rotation applied.
        annotated: Width and height in the annotation.
        boxes: In pixels, as annotated; none if they are in relative coordinates.

    Returns:
        ``None`` if unknown.

    Example:
        >>> drawn_on(6, (30, 40), (40, 30), ()), drawn_on(3, (40, 30), (40, 30), ())
        ('stored', None)
    """
    if orientation == 1:
        return 'upright'
    stored = turn_size(upright, orientation)
    if stored == upright:
        return None
    fits_upright, fits_stored = (
        all(_is_in(box, size) for box in boxes) for size in (upright, stored)
    )
    if fits_upright != fits_stored and annotated != upright:
        # Scripts read the stored size from the file, even if boxes were drawn upright.
        return 'upright' if fits_upright else 'stored'
    if annotated == upright:
        return 'upright'
    return 'stored' if annotated == stored else None


def turn_size(size: tuple[N, N], orientation: int) -> tuple[N, N]:
    """Width and height of the stored image from those of the upright one, or the reverse."""
    return size[::-1] if orientation in QUARTER_TURNS else size


def turn_upright(box: Box, orientation: int, stored: Size) -> Box:
    """Transform a box from the stored to the upright image.

    Args:
        box: In the units of ``stored``.
        orientation: Of EXIF, 1 to 8.
        stored: Width and height of the stored image.

    Example:
        >>> turn_upright(Box('dish', 0, 0, 10, 20), 6, (40, 30)).sides
        (10.0, 0.0, 30.0, 10.0)
    """
    return box.moved(_upright_point(point, orientation, stored) for point in box.corners)


def _upright_point(point: Point, orientation: int, stored: Size) -> Point:
    (x, y), (width, height) = point, stored
    return {
        2: (width - x, y),
        3: (width - x, height - y),
        4: (x, height - y),
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }.get(orientation, point)


def _is_in(box: Box, size: Size, tolerance: float = 1.0) -> bool:
    return (
        min(box.left, box.top) >= -tolerance
        and box.right <= size[0] + tolerance
        and box.bottom <= size[1] + tolerance
    )
