"""Exact labels from what each pixel's central ray meets first.

Nothing here needs the renderer: it is arithmetic on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from ..geometry.camera import Camera

BACKGROUND, DEPTH_BOUNDARY, CONTACT_EDGE = 0, 1, 2
"""Classes of ClearGrasp's outlines, as its PNG files hold them."""

JUMP = 1.5
"""Least depth jump in millimeters, more than things that touch are apart."""


@dataclass(frozen=True, eq=False)
class Instance:
    """Ground truth of one plate.

    Args:
        category: One of `plates.CATEGORIES`.
        mask: Pixels in which it is the first surface, bool of shape (h, w).
        whole: Pixels that it would cover if nothing stood before it, bool of shape (h, w).
        amodal_box: X, y, width, height in pixels of the whole plate, also beyond the frame.
        label: What it is, for people.
        crowd: Whether it counts neither as a plate nor as background: a loose lid, a sliver.
    """

    category: str
    mask: np.ndarray
    whole: np.ndarray
    amodal_box: tuple[float, float, float, float]
    label: str
    crowd: bool = False

    @property
    def occluded_fraction(self) -> float:
        """Share of the whole plate within the frame that something else hides, in [0, 1]."""
        return float(1 - self.mask.sum() / max(int(self.whole.sum()), 1))


def bounding_box(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Extent of a mask as COCO gives it.

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
        raise ValueError('an empty mask has no bounding box: leave such instances out')
    return (
        float(columns[0]),
        float(rows[0]),
        float(columns[-1] - columns[0] + 1),
        float(rows[-1] - rows[0] + 1),
    )


def amodal_box(points: np.ndarray, camera: Camera) -> tuple[float, float, float, float]:
    """Extent of projected points in pixels, also beyond the frame: x, y, width, height."""
    pixels = camera.project(points)
    low, high = np.nanmin(pixels, axis=0), np.nanmax(pixels, axis=0)
    x, y, width, height = (round(float(v), 2) for v in (*low, *(high - low)))
    return (x, y, width, height)


def visible_share(mask: np.ndarray, amodal: tuple[float, float, float, float]) -> float:
    """Area of the visible part's box over that of the whole plate's box.

    Args:
        mask: Visible pixels, bool of shape (h, w) with at least one set.
        amodal: Box of the whole plate, as `amodal_box` gives it.

    Example:
        >>> mask = np.zeros((4, 4), bool)
        >>> mask[:2] = True
        >>> visible_share(mask, (0.0, -6.0, 4.0, 8.0))
        0.25
    """
    _, _, width, height = bounding_box(mask)
    return width * height / max(amodal[2] * amodal[3], 1e-9)


def run_length(mask: np.ndarray) -> dict:
    """COCO's compressed run-length encoding of a bool mask: `size` and a `counts` string."""
    encoded: Any = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {'size': [int(n) for n in encoded['size']], 'counts': encoded['counts'].decode('ascii')}


def depth_map(distance: np.ndarray, camera: Camera) -> np.ndarray:
    """Depth along the view from distances along the rays.

    Args:
        distance: Millimeters, float of shape (h, w); 0 where nothing was met.
        camera: The camera.

    Returns:
        Millimeters, float32 of shape (h, w); 0 where nothing was met.
    """
    return (distance / np.linalg.norm(camera.rays(), axis=-1)).astype(np.float32)


def camera_normals(shading: np.ndarray, faces: np.ndarray, camera: Camera) -> np.ndarray:
    """Normals in camera axes, all facing the camera.

    Args:
        shading: World unit normals of the smooth surface, float of shape (h, w, 3).
        faces: World unit normals of its triangles, which replace the smooth ones where these,
            near a silhouette, turn away from the camera.
        camera: The camera.

    Returns:
        Unit normals, x right, y up, z towards the viewer, float32 of shape (h, w, 3); zeros where
        nothing was met.
    """
    rays = camera.rays()

    def seen(normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        local = np.asarray(normals, float) @ camera.axes.T
        return local, np.einsum('hwc,hwc->hw', local, rays)

    flat, flat_dot = seen(faces)
    flat = np.where((flat_dot > 0)[..., None], -flat, flat)
    smooth, _ = seen(shading)
    # The smooth normal goes with the side of the triangle that is seen.
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
    """ClearGrasp's outlines of transparent objects.

    Two neighboring pixels of which at least one is transparent part at a depth boundary where
    neither lies near the plane of the other, and at a contact edge where one object meets another
    without such a jump. Comparing with planes keeps slanting surfaces free of false jumps.

    Args:
        owner: Object in every pixel, int of shape (h, w).
        transparent: Whether it is transparent, bool of shape (h, w).
        depth: Along the view in millimeters, float of shape (h, w); 0 means far beyond.
        normals: In camera axes, float of shape (h, w, 3).
        camera: The camera.

    Returns:
        `BACKGROUND`, `DEPTH_BOUNDARY` or `CONTACT_EDGE`, uint8 of shape (h, w): lines two pixels
        wide, one on either side; a depth boundary wins over a contact edge.
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
        # Over a pixel a surface may stray from its plane by a share of the pixel's width.
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
