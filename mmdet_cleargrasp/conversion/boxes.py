"""Boxes in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A box, in pixels from the image's upper left corner.

    Attributes:
        label: Class name as the source has it.
        left: Of the left edge; ``top``, ``right`` and ``bottom`` likewise.
        crowd: A group that is ignored when detections are scored, COCO's ``iscrowd``.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float
    crowd: bool = False

    @staticmethod
    def around(label: str, points: Iterable[Sequence[float | str]]) -> Box:
        """The box around points.

        Raises:
            ValueError: No points, or values that are not finite numbers.

        Example:
            >>> Box.around('lid', [(3, 9), (7, 2)])
            Box(label='lid', left=3.0, top=2.0, right=7.0, bottom=9.0, crowd=False)
        """
        pairs = [(float(x), float(y)) for x, y in points]
        if not pairs:
            raise ValueError('no points')
        # Comparisons with NaN are false, so that min and max would drop it.
        if not all(math.isfinite(value) for pair in pairs for value in pair):
            raise ValueError('a coordinate that is not finite')
        xs, ys = zip(*pairs, strict=True)
        return Box(label, min(xs), min(ys), max(xs), max(ys))

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        return self.left, self.top, self.right, self.bottom

    @property
    def corners(self) -> list[Point]:
        """The four corners, clockwise from the upper left."""
        left, top, right, bottom = self.sides
        return [(left, top), (right, top), (right, bottom), (left, bottom)]

    @property
    def shorter_side(self) -> float:
        """The smaller of width and height."""
        return min(self.right - self.left, self.bottom - self.top)

    def moved(self, points: Iterable[Point]) -> Box:
        """A box of the same class around other points."""
        return replace(Box.around(self.label, points), crowd=self.crowd)

    def union(self, other: Box) -> Box:
        """The box around this one and another."""
        return self.moved([*self.corners, *other.corners])

    def scaled(self, x: float, y: float) -> Box:
        """The box with its coordinates multiplied."""
        left, top, right, bottom = self.sides
        return replace(self, left=left * x, top=top * y, right=right * x, bottom=bottom * y)

    def rotated(self, degrees: float) -> Box:
        """The upright box around this one, rotated clockwise about its center.

        Example:
            >>> [round(side) for side in Box('dish', 0, 10, 40, 30).rotated(90).sides]
            [10, 0, 30, 40]
        """
        if not degrees % 360:
            return self
        x0, y0 = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return self.moved(
            (x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos)
            for x, y in self.corners
        )

    def within(self, width: float, height: float) -> Box:
        """The box clipped to an image of this size."""
        left, right = (min(max(v, 0.0), width) for v in (self.left, self.right))
        top, bottom = (min(max(v, 0.0), height) for v in (self.top, self.bottom))
        return replace(self, left=left, top=top, right=right, bottom=bottom)

    def iou(self, other: Box) -> float:
        """Area of the intersection over that of the union.

        Example:
            >>> Box('a', 0, 0, 2, 2).iou(Box('a', 1, 0, 3, 2))
            0.3333333333333333
        """
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if min(width, height) <= 0:
            return 0.0
        areas = [(b.right - b.left) * (b.bottom - b.top) for b in (self, other)]
        return width * height / (sum(areas) - width * height)

    def differs_by(self, other: Box) -> float:
        """The largest distance between corresponding edges in pixels."""
        return max(abs(a - b) for a, b in zip(self.sides, other.sides, strict=True))
