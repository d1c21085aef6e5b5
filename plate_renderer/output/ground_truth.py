"""Ground truth from the first surface that the ray of each pixel's center hits.

Computed with NumPy; Mitsuba is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from ..geometry.camera import Camera

BACKGROUND, DEPTH_BOUNDARY, CONTACT_EDGE = 0, 1, 2
"""Classes of ClearGrasp's outlines, the values of its PNG files."""

JUMP = 1.5
"""Smallest depth jump of a depth boundary in millimeters, above the gap of touching objects."""


@dataclass(frozen=True, eq=False)
class Instance:
    """Ground truth of one plate.

    Args:
        category: One of `plates.CATEGORIES`.
        mask: Visible pixels, bool of shape (h, w).
        whole: Pixels that it would cover without occlusion, bool of shape (h, w).
        amodal_box: X, y, width and height of the whole plate in pixels, which may exceed the frame.
        label: Description in annotations.
        crowd: Whether it is annotated as `iscrowd`: a loose lid or a plate of which little is
            visible.
    """

    category: str
    mask: np.ndarray
    whole: np.ndarray
    amodal_box: tuple[float, float, float, float]
    label: str
    crowd: bool = False

    @property
    def occluded_fraction(self) -> float:
        """Share of the plate's pixels in the frame that other objects occlude, in [0, 1]."""
        return float(1 - self.mask.sum() / max(int(self.whole.sum()), 1))


def bounding_box(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Bounding box of a mask in COCO's format.

    Args:
        mask: Bool of shape (h, w) with at least one pixel set.

    Returns:
        X, y, width, height in pixels: a single pixel at column 3 and row 2 is (3, 2, 1, 1).

    Raises:
        ValueError: If the mask is empty.

    Example:
        >>> mask = np.zeros((5, 8), bool)
        >>> mask[2, 3:6] = True
        >>> bounding_box(mask)
        (3.0, 2.0, 3.0, 1.0)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ValueError('an empty mask has no bounding box: drop such instances')
    return (
        float(columns[0]),
        float(rows[0]),
        float(columns[-1] - columns[0] + 1),
        float(rows[-1] - rows[0] + 1),
    )


def amodal_box(points: np.ndarray, camera: Camera) -> tuple[float, float, float, float]:
    """Bounding box of projected points, which may exceed the frame.

    Args:
        points: World points in millimeters, float64 of shape (n, 3).
        camera: The camera.

    Returns:
        X, y, width and height in pixels.
    """
    pixels = camera.project(points)
    low, high = np.nanmin(pixels, axis=0), np.nanmax(pixels, axis=0)
    x, y, width, height = (round(float(v), 2) for v in (*low, *(high - low)))
    return (x, y, width, height)


def visible_share(mask: np.ndarray, amodal: tuple[float, float, float, float]) -> float:
    """Ratio of the area of the visible pixels' box to that of the whole plate's box.

    Args:
        mask: Visible pixels, bool of shape (h, w) with at least one set.
        amodal: Box of the whole plate, from `amodal_box`.

    Example:
        >>> mask = np.zeros((4, 4), bool)
        >>> mask[:2] = True
        >>> visible_share(mask, (0.0, -6.0, 4.0, 8.0))
        0.25
    """
    _, _, width, height = bounding_box(mask)
    return width * height / max(amodal[2] * amodal[3], 1e-9)


def run_length(mask: np.ndarray) -> dict:
    """Encode a mask in COCO's compressed run-length encoding.

    Args:
        mask: Bool of shape (h, w).

    Returns:
        `size`, [h, w], and `counts`, a string.

    Example:
        >>> run_length(np.ones((2, 3), bool))
        {'size': [2, 3], 'counts': '06'}
    """
    encoded: Any = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {'size': [int(n) for n in encoded['size']], 'counts': encoded['counts'].decode('ascii')}


def depth_map(distance: np.ndarray, camera: Camera) -> np.ndarray:
    """Convert distances along the rays to depths along the viewing direction.

    Args:
        distance: Distances in millimeters, float of shape (h, w); 0 without a surface.
        camera: The camera.

    Returns:
        Depths in millimeters, float32 of shape (h, w); 0 without a surface.
    """
    return (distance / np.linalg.norm(camera.rays(), axis=-1)).astype(np.float32)


def camera_normals(shading: np.ndarray, faces: np.ndarray, camera: Camera) -> np.ndarray:
    """Convert normals to camera axes and turn them towards the camera.

    Args:
        shading: Interpolated unit normals in world axes, float of shape (h, w, 3).
        faces: Unit normals of the triangles in world axes, float of shape (h, w, 3). They are used
            where the interpolated normal points away from the camera, near silhouettes.
        camera: The camera.

    Returns:
        Unit normals (x right, y up, z towards the viewer), float32 of shape (h, w, 3); zeros
        without a surface.
    """
    rays = camera.rays()

    def seen(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        local = np.asarray(normals, float) @ camera.axes.T
        return local, np.einsum('hwc,hwc->hw', local, rays)

    flat, flat_dot = seen(faces)
    flat = np.where((flat_dot > 0)[..., None], -flat, flat)
    smooth, _ = seen(shading)
    # The smooth normal is turned to the visible side of the triangle.
    agree = np.einsum('hwc,hwc->hw', smooth, flat)
    smooth = np.where((agree < 0)[..., None], -smooth, smooth)
    away = np.einsum('hwc,hwc->hw', smooth, rays) >= 0
    normals = np.where(away[..., None], flat, smooth)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.where(length > 0.5, normals / np.maximum(length, 1e-9), 0).astype(np.float32)


def outlines(
    owner: np.ndarray,
    transparent: np.ndarray,
    depth: np.ndarray,
    normals: np.ndarray,
    camera: Camera,
) -> np.ndarray:
    """Compute ClearGrasp's outlines of transparent objects.

    Between two neighboring pixels, at least one of them transparent, there is a depth boundary if
    neither point is close to the tangent plane of the other, and otherwise a contact edge if the
    pixels belong to different objects. Tangent planes avoid false boundaries on slanted surfaces.

    Args:
        owner: Index of the object in each pixel, int of shape (h, w).
        transparent: Whether this object is transparent, bool of shape (h, w).
        depth: Depth along the viewing direction in millimeters, float of shape (h, w); 0 is far
            away.
        normals: Unit normals in camera axes, float of shape (h, w, 3).
        camera: The camera.

    Returns:
        `BACKGROUND`, `DEPTH_BOUNDARY` or `CONTACT_EDGE`, uint8 of shape (h, w). Lines are two
        pixels wide, one on either side; depth boundaries are drawn over contact edges.
    """
    rays = camera.rays()
    points = rays * np.where(depth > 0, depth, 1e5)[..., None]
    contact = np.zeros(owner.shape, bool)
    boundary = np.zeros(owner.shape, bool)
    for axis in (0, 1):
        here = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
        there = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
        glass = transparent[here] | transparent[there]
        step = points[there] - points[here]
        # Within a pixel, a curved surface deviates from its tangent plane by a share of its width.
        width = np.minimum(depth[here], depth[there]) / camera.pixels_per_unit
        limit = np.maximum(JUMP, 1.5 * width)
        off_here = np.abs(np.einsum('hwc,hwc->hw', step, normals[here]))
        off_there = np.abs(np.einsum('hwc,hwc->hw', step, normals[there]))
        jump = glass & (np.minimum(off_here, off_there) > limit)
        meets = glass & (owner[here] != owner[there]) & ~jump
        for part in (here, there):
            boundary[part] |= jump
            contact[part] |= meets
    classes = np.full(owner.shape, BACKGROUND, np.uint8)
    classes[contact] = CONTACT_EDGE
    classes[boundary] = DEPTH_BOUNDARY
    return classes
