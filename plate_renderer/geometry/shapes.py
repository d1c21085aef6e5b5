"""Meshes of flat figures, caps and tubes."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from .mesh import Mesh, faceted, ring_faces


def sheet(
    figure: BaseGeometry, z: float, uv_bounds: tuple[float, float, float, float] | None = None
) -> Mesh:
    """Triangulate a plane figure as a horizontal mesh that faces up.

    Args:
        figure: Polygon or multipolygon, which may have holes, in millimeters.
        z: Height in millimeters.
        uv_bounds: Rectangle (x0, y0, x1, y1) that the texture covers, with its lower left corner at
            (x0, y0); the figure's bounds if None.

    Returns:
        The mesh.

    Raises:
        ValueError: If the figure has no area.

    Example:
        >>> from shapely.geometry import box
        >>> sheet(box(0, 0, 20, 10), z=1.5).extent.tolist()
        [20.0, 10.0, 0.0]
    """
    triangles = _triangles(figure)
    if not len(triangles):
        raise ValueError(f'a sheet needs a figure with an area, found {figure.geom_type}')
    corners, faces = np.unique(triangles.reshape(-1, 2), axis=0, return_inverse=True)
    x0, y0, x1, y1 = figure.bounds if uv_bounds is None else uv_bounds
    uv = (corners - [x0, y0]) / [x1 - x0, y1 - y0]
    vertices = np.column_stack([corners, np.full(len(corners), z)])
    normals = np.tile([0.0, 0.0, 1.0], (len(corners), 1))
    return Mesh(vertices, faces.reshape(-1, 3).astype(np.int64), normals, uv)


def grooved_sheet(
    half_width: float, half_depth: float, z: float, pitch: float, width: float, height: float
) -> Mesh:
    """Horizontal rectangle with V-shaped ridges or grooves along x and y, as in counting grids.

    Args:
        half_width: Half of the extent along x in millimeters.
        half_depth: Half of the extent along y in millimeters.
        z: Height of the flat part in millimeters.
        pitch: Distance between neighboring ridges in millimeters.
        width: Width of a ridge at its base in millimeters.
        height: Height of the ridges in millimeters; negative for grooves.

    Returns:
        The mesh, facing up. Its border is flat, so it fits into a rectangular hole of a `sheet`.
    """

    def ticks(half: float) -> tuple[np.ndarray, np.ndarray]:
        count = int((half - width) // pitch)
        ridges = pitch * np.arange(-count, count + 1)
        at = np.concatenate([[-half, half], ridges, ridges - width / 2, ridges + width / 2])
        bump = np.concatenate([[0, 0], np.ones(len(ridges)), np.zeros(2 * len(ridges))])
        order = np.argsort(at)
        return at[order], bump[order]

    x, x_bump = ticks(half_width)
    y, y_bump = ticks(half_depth)
    # The border stays flat, so that it fits the surrounding sheet.
    inner_x = np.r_[0, np.ones(len(x) - 2), 0]
    inner_y = np.r_[0, np.ones(len(y) - 2), 0]
    bump = np.maximum(x_bump[None, :], y_bump[:, None]) * inner_x[None, :] * inner_y[:, None]
    grid_x, grid_y = np.meshgrid(x, y)
    points = np.stack([grid_x, grid_y, z + height * bump], axis=-1)
    low_left, low_right = points[:-1, :-1], points[:-1, 1:]
    top_left, top_right = points[1:, :-1], points[1:, 1:]
    triangles = np.concatenate(
        [
            np.stack([low_left, low_right, top_right], axis=2).reshape(-1, 3, 3),
            np.stack([low_left, top_right, top_left], axis=2).reshape(-1, 3, 3),
        ]
    )
    return faceted(triangles)


def domes(centers: np.ndarray, radii: np.ndarray, heights: np.ndarray, turns: int = 14) -> Mesh:
    """Half ellipsoids, closed below, such as colonies, drops and leaves.

    Args:
        centers: Centers of the bases in millimeters, float64 of shape (n, 3).
        radii: Semi-axes along x and y in millimeters, float64 of shape (n, 2).
        heights: Heights in millimeters, float64 of shape (n,).
        turns: Number of segments around each dome.

    Returns:
        All domes as one mesh.

    Example:
        >>> domes(np.zeros((1, 3)), np.array([[2.0, 3.0]]), np.array([1.0])).extent[2]
        np.float64(1.0)
    """
    around = np.linspace(0, 2 * np.pi, turns, endpoint=False)
    levels = np.radians([0, 25, 50, 72, 90])
    ring = np.stack([np.cos(around), np.sin(around)], axis=1)
    unit = np.concatenate(
        [np.column_stack([np.cos(t) * ring, np.full(turns, np.sin(t))]) for t in levels]
        + [np.column_stack([ring, np.zeros(turns)])]
    )
    shade = unit.copy()
    shade[-turns:] = [0, 0, -1]
    pieces = [ring_faces(k * turns, (k + 1) * turns, turns) for k in range(len(levels) - 1)]
    base = (len(levels)) * turns
    fan = np.arange(1, turns - 1)
    pieces.append(base + np.stack([np.zeros_like(fan), fan + 1, fan], axis=1))
    faces = np.concatenate(pieces)
    scale = np.column_stack([radii, heights])
    vertices = centers[:, None] + unit[None] * scale[:, None]
    normals = shade[None] / scale[:, None]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    index = faces[None] + (np.arange(len(centers)) * len(unit))[:, None, None]
    return Mesh(vertices.reshape(-1, 3), index.reshape(-1, 3), normals.reshape(-1, 3))


def tube(path: np.ndarray, radii: np.ndarray, turns: int = 10) -> Mesh:
    """Sweep a circle of varying radius along a path: cables, fingers, arms.

    Args:
        path: Points in millimeters, float64 of shape (n, 3); no segment may be vertical.
        radii: Radius at each point in millimeters, float64 of shape (n,); 0 at both ends closes
            the tube.
        turns: Number of segments around the tube.

    Returns:
        The mesh, with smooth normals.
    """
    along = np.gradient(path, axis=0)
    aside = np.cross([0.0, 0.0, 1.0], along)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    above = np.cross(along, aside)
    above /= np.linalg.norm(above, axis=1, keepdims=True)
    angles = np.linspace(0, 2 * np.pi, turns, endpoint=False)
    out = np.cos(angles)[:, None] * aside[:, None] + np.sin(angles)[:, None] * above[:, None]
    vertices = (path[:, None] + radii[:, None, None] * out).reshape(-1, 3)
    rings = [ring_faces(k * turns, (k + 1) * turns, turns) for k in range(len(path) - 1)]
    faces = np.concatenate(rings)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], area)
    # At a closed end all vertices coincide and have no area of their own.
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 1e-9, normals / np.maximum(length, 1e-9), out.reshape(-1, 3))
    solid = np.linalg.norm(area, axis=1) > 1e-9
    return Mesh(vertices, faces[solid], normals)


def capsule(start: np.ndarray, stop: np.ndarray, radius: float, tip: float | None = None) -> Mesh:
    """A tube with round ends between two points.

    Args:
        start: Center of the first end in millimeters, float64 of shape (3,).
        stop: Center of the last end in millimeters, float64 of shape (3,).
        radius: Radius at the first end in millimeters.
        tip: Radius at the last end in millimeters; the same as `radius` if None.

    Returns:
        The closed mesh, with smooth normals.
    """
    tip = radius if tip is None else tip
    direction = (stop - start) / np.linalg.norm(stop - start)
    bend = np.radians([-90, -60, -30, 0])
    path = np.concatenate(
        [
            start + radius * np.sin(bend)[:, None] * direction,
            stop - tip * np.sin(bend[::-1])[:, None] * direction,
        ]
    )
    return tube(path, np.concatenate([radius * np.cos(bend), tip * np.cos(bend[::-1])]))


def _triangles(figure: BaseGeometry) -> np.ndarray:
    """Triangulate a figure: counterclockwise triangles, float64 of shape (m, 3, 2)."""
    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(figure))
    triangles = np.array([np.asarray(part.exterior.coords)[:3, :2] for part in parts])
    triangles = triangles.reshape(-1, 3, 2)
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    turn = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    triangles[turn < 0] = triangles[turn < 0][:, ::-1]
    return triangles[np.abs(turn) > 1e-12]
