"""Outlines of round and rounded rectangular objects, seen from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import shapely
from shapely.geometry import Polygon


@dataclass(frozen=True)
class Outline:
    """A rectangle with rounded corners, centered at the origin, or a circle.

    Args:
        width: Extent along x in millimeters.
        depth: Extent along y in millimeters.
        radius: Corner radius in millimeters, at most half of the smaller extent; half of both
            extents gives a circle.
        segments: Number of line segments of a quarter circle.

    Raises:
        ValueError: If the radius is not positive or too large.

    Example:
        >>> dish = Outline.circle(90)
        >>> round(dish.polygon().area / 1000, 2)
        6.36
    """

    width: float
    depth: float
    radius: float
    segments: int = 24

    def __post_init__(self) -> None:
        """Check the radius."""
        if not 0 < self.radius <= min(self.width, self.depth) / 2 + 1e-9:
            raise ValueError(
                f'a corner radius of {self.radius} mm does not fit an outline of '
                f'{self.width} x {self.depth} mm: expected more than 0, at most half of either side'
            )

    @classmethod
    def circle(cls, diameter: float, segments: int = 24) -> Outline:
        """Return a circle.

        Args:
            diameter: Diameter in millimeters.
            segments: Number of line segments of a quarter circle.
        """
        return cls(diameter, diameter, diameter / 2, segments)

    def directions(self) -> np.ndarray:
        """Outward unit normals at the points of `ring`, float64 of shape (n, 2)."""
        quarter = np.linspace(0, np.pi / 2, self.segments + 1)
        angles = np.concatenate([quarter + k * np.pi / 2 for k in range(4)])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def ring(self, inset: float) -> np.ndarray:
        """Points of the outline, moved inwards.

        Args:
            inset: Distance in millimeters. A corner with a smaller radius becomes a point.

        Returns:
            Points in counterclockwise order, float64 of shape (4 * (segments + 1), 2).
        """
        half = np.maximum(np.array([self.width, self.depth]) / 2 - inset, 0.0)
        radius = min(max(self.radius - inset, 0.0), half.min())
        signs = np.repeat([[1, 1], [-1, 1], [-1, -1], [1, -1]], self.segments + 1, axis=0)
        return signs * (half - radius) + radius * self.directions()

    def polygon(self, inset: float = 0.0) -> Polygon:
        """Return the outline, moved inwards by `inset` millimeters, as a shapely polygon."""
        polygon = Polygon(without_repeats(self.ring(inset)))
        return cast(Polygon, shapely.make_valid(polygon))


def without_repeats(points: np.ndarray) -> np.ndarray:
    """Drop consecutive duplicates from the points of a closed ring.

    Args:
        points: Points of the ring, float64 of shape (n, 2); the last may repeat the first.

    Example:
        >>> without_repeats(np.array([[0.0, 0], [1, 0], [1, 0], [0, 1], [0, 0]])).tolist()
        [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    gap = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1)
    return points[gap > 1e-7]
