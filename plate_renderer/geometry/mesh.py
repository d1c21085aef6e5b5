"""Triangle meshes with normals.

Lengths are millimeters, z points up, and normals point out of the medium that a mesh bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

CREASE_DEGREES = 40.0
"""Largest angle in degrees between neighboring faces that are shaded as a smooth surface."""


@dataclass(frozen=True)
class Mesh:
    """Triangles with a shading normal and a texture coordinate at every vertex.

    Args:
        vertices: Positions, float64 of shape (n, 3), in millimeters.
        faces: Vertex indices, int64 of shape (m, 3), counterclockwise seen from outside.
        normals: Unit normals, float64 of shape (n, 3).
        uv: Texture coordinates in [0, 1], float64 of shape (n, 2); zeros by default.

    Example:
        >>> from shapely.geometry import Polygon
        >>> from plate_renderer.geometry.shapes import sheet
        >>> square = sheet(Polygon([(0, 0), (2, 0), (2, 2), (0, 2)]), z=1.0)
        >>> square.faces.shape, float(square.vertices[:, 2].max())
        ((2, 3), 1.0)
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uv: np.ndarray = field(default=None)  # type: ignore[arg-type]  # replaced below

    def __post_init__(self) -> None:
        """Set default texture coordinates."""
        if self.uv is None:
            object.__setattr__(self, 'uv', np.zeros((len(self.vertices), 2)))

    @property
    def extent(self) -> np.ndarray:
        """Size along x, y and z in millimeters, float64 of shape (3,)."""
        return np.ptp(self.vertices, axis=0)

    def transformed(self, matrix: np.ndarray) -> Mesh:
        """Return the mesh moved by a rigid transformation.

        Args:
            matrix: Rotation, without reflection, and translation, float64 of shape (4, 4).
        """
        rotation = matrix[:3, :3]
        return Mesh(
            self.vertices @ rotation.T + matrix[:3, 3],
            self.faces,
            self.normals @ rotation.T,
            self.uv,
        )

    def reversed(self) -> Mesh:
        """Return the mesh with its inside and outside swapped."""
        return Mesh(self.vertices, self.faces[:, ::-1], -self.normals, self.uv)


def merge(meshes: Iterable[Mesh]) -> Mesh:
    """Concatenate meshes; equal vertices are not merged.

    Args:
        meshes: One or more meshes.

    Returns:
        A mesh with all vertices and faces.

    Raises:
        ValueError: If there is no mesh.
    """
    parts = list(meshes)
    if not parts:
        raise ValueError('merge() got no mesh, expected at least one')
    starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.uv for part in parts]),
    )


def faceted(triangles: np.ndarray) -> Mesh:
    """Make a flat-shaded mesh.

    Args:
        triangles: Corners of the triangles, float64 of shape (m, 3, 3), counterclockwise seen from
            outside; triangles without area are dropped.

    Example:
        >>> faceted(np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])).normals.tolist()
        [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    size = np.linalg.norm(normals, axis=1)
    triangles, normals = triangles[size > 0], normals[size > 0] / size[size > 0, None]
    count = len(triangles)
    return Mesh(
        triangles.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3), np.repeat(normals, 3, axis=0)
    )


def ring_faces(low: int, high: int, count: int) -> np.ndarray:
    """Triangulate the band between two rings of vertices.

    Args:
        low: Index of the first vertex of the lower ring.
        high: Index of the first vertex of the upper ring.
        count: Number of vertices of each ring.

    Returns:
        Vertex indices, int64 of shape (2 * count, 3).
    """
    here = np.arange(count)
    there = (here + 1) % count
    return np.concatenate(
        [
            np.stack([low + here, low + there, high + there], axis=1),
            np.stack([low + here, high + there, high + here], axis=1),
        ]
    )


def edge_normals(normals: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Shading normals at both ends of each segment of a polyline.

    They are averaged with the neighboring segment's where the angle is below `CREASE_DEGREES`.

    Args:
        normals: Unit normals of the segments, float64 of shape (n, 2).
        closed: Whether the last segment is followed by the first.

    Returns:
        Unit normals at the start and at the end of each segment, each float64 of shape (n, 2).
    """
    before, after = np.roll(normals, 1, axis=0), np.roll(normals, -1, axis=0)
    smooth = np.einsum('ij,ij->i', normals, before) > np.cos(np.radians(CREASE_DEGREES))
    if not closed:
        smooth[0] = False
    first = np.where(smooth[:, None], normals + before, normals)
    last = np.where(np.roll(smooth, -1)[:, None], normals + after, normals)
    return (
        first / np.linalg.norm(first, axis=1, keepdims=True),
        last / np.linalg.norm(last, axis=1, keepdims=True),
    )
