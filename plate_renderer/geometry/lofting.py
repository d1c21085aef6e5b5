"""Meshes that sweep a profile around an outline: dishes, lids, beakers, bottles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .mesh import Mesh, edge_normals, merge, ring_faces
from .outlines import Outline


def arc(
    center: tuple[float, float], radius: float, start: float, stop: float, steps: int = 4
) -> list[tuple[float, float]]:
    """Points of a circular arc in a profile of `loft`, for rounded edges.

    Args:
        center: Center (inset, z) in millimeters.
        radius: Radius in millimeters.
        start: First angle in degrees: 0 points outwards (to a smaller inset), 90 points up.
        stop: Last angle in degrees.
        steps: Number of line segments.

    Returns:
        `steps + 1` points (inset, z) in millimeters.

    Example:
        >>> [(round(d, 3), round(z, 3)) for d, z in arc((1, 0), 1, 0, 90, steps=1)]
        [(0.0, 0.0), (1.0, 1.0)]
    """
    angles = np.radians(np.linspace(start, stop, steps + 1))
    inset = center[0] - radius * np.cos(angles)
    height = center[1] + radius * np.sin(angles)
    return list(zip(inset.tolist(), height.tolist(), strict=True))


def loft(outline: Outline, profile: Sequence[tuple[float, float]]) -> Mesh:
    """Sweep a profile around an outline.

    Args:
        outline: Closed curve, seen from above.
        profile: Two or more points (inset from the outline, z) in millimeters. The solid is to the
            left of the profile's direction if outwards is drawn to the right and z upwards: up the
            outside, inwards over the rim, down the inside. An inset of half the outline's smaller
            extent reaches the axis.

    Returns:
        The swept surface, with smooth normals where the profile turns by less than
        `mesh.CREASE_DEGREES`.

    Raises:
        ValueError: If the profile has fewer than two points.

    Example:
        >>> wall = loft(Outline.circle(10), [(0, 0), (0, 5)])
        >>> [round(float(size), 2) for size in wall.extent]
        [10.0, 10.0, 5.0]
    """
    points = np.asarray(profile, dtype=float)
    if len(points) < 2:
        raise ValueError(f'a profile needs at least 2 points, found {len(points)}')
    keep = np.r_[True, np.abs(np.diff(points, axis=0)).max(axis=1) > 1e-9]
    points = points[keep]
    step = np.diff(points, axis=0)
    # Outward normals as (outwards, up) of the steps (inset, z); outwards is the negative inset.
    across = np.stack([step[:, 1], step[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    first, last = edge_normals(across, closed=False)

    directions = outline.directions()
    strips = []
    for k in range(len(step)):
        rings, normals = [], []
        for (inset, z), (out, up) in ((points[k], first[k]), (points[k + 1], last[k])):
            flat = outline.ring(inset)
            rings.append(np.column_stack([flat, np.full(len(flat), z)]))
            normals.append(np.column_stack([directions * out, np.full(len(flat), up)]))
        strips.append(_strip(rings[0], rings[1], normals[0], normals[1]))
    return merge(strips)


def _strip(
    low: np.ndarray, high: np.ndarray, low_normals: np.ndarray, high_normals: np.ndarray
) -> Mesh:
    """Closed band between two rings of the same number of points; empty triangles are dropped."""
    count = len(low)
    vertices = np.concatenate([low, high])
    faces = ring_faces(0, count, count)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return Mesh(vertices, faces[area > 1e-9], np.concatenate([low_normals, high_normals]))
