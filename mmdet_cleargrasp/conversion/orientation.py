"""Photographs that are stored turned: on which pixels were their boxes drawn?

Cameras store a photograph as their sensor lies and say in its EXIF orientation how it is to be
turned. Training reads it upright. Some labeling tools show it upright, others as it is stored, and
their boxes then have to be turned as well. Where an annotation says the image's size, that often
proves which it was; at 180 degrees, and without a size, nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from .boxes import Box, Point

#: On which pixels boxes were drawn: those of the upright photograph or those of the stored one.
Pixels = Literal['upright', 'stored']
Size = tuple[float, float]
N = TypeVar('N')

#: EXIF orientations that exchange width and height.
QUARTER_TURNS = (5, 6, 7, 8)


def drawn_on(
    orientation: int, upright: Size, annotated: Size | None, boxes: Sequence[Box]
) -> Pixels | None:
    """The pixels that boxes were drawn on, as far as sizes prove it.

    Args:
        orientation: Of EXIF, 1 to 8.
        upright: Width and height of the photograph as one sees it.
        annotated: Width and height that the annotation says.
        boxes: In pixels, as annotated; none if they are in relative coordinates.

    Returns:
        ``None`` where it can't be known.

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
        # Scripts take the stored size from the file, for boxes that were drawn upright as well.
        return 'upright' if fits_upright else 'stored'
    if annotated == upright:
        return 'upright'
    return 'stored' if annotated == stored else None


def turn_size(size: tuple[N, N], orientation: int) -> tuple[N, N]:
    """Width and height of the stored photograph by those of the upright one, and back."""
    return size[::-1] if orientation in QUARTER_TURNS else size


def turn_upright(box: Box, orientation: int, stored: Size) -> Box:
    """A box on the stored pixels, as it lies on the upright photograph.

    Args:
        box: In the units of ``stored``.
        orientation: Of EXIF, 1 to 8.
        stored: Width and height of the stored photograph.

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
