"""Walls behind the scene, with procedural pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from shapely.geometry import box

from ..geometry.camera import Camera
from ..geometry.shapes import sheet
from ..geometry.transforms import rotation_z
from ..objects.materials import Glowing, Opaque, Part
from ..objects.pictures import picture

#: Kinds of picture; repeated ones are drawn more often.
KINDS = ('plain', 'plain', 'gradient', 'marble', 'stripes', 'tiles', 'blobs', 'cover', 'windows',
         'page', 'dots', 'rings', 'halves')  # fmt: skip
#: Half of the length of a wall, and its height, in millimeters.
HALF_LENGTH, HEIGHT = 2000.0, 1500.0


def make_wall(camera: Camera, objects: Sequence[np.ndarray], rng: np.random.Generator) -> Part:
    """Sample a vertical wall behind all objects.

    Args:
        camera: The camera, which the wall faces.
        objects: Vertices of each object in world millimeters, float64 of shape (n, 3).
        rng: Random generator.

    Returns:
        The wall; a few walls emit light.
    """
    away = np.subtract(camera.target, camera.origin)[:2]
    length = np.linalg.norm(away)
    away = away / length if length > 1e-6 else np.array([1.0, 0.0])
    away = rotation_z(rng.normal(0, 0.25))[:2, :2] @ away
    farthest = max([float((p[:, :2] @ away).max()) for p in objects], default=0.0)
    distance = max(farthest, float(np.dot(camera.target[:2], away))) + rng.uniform(15, 500)
    tile = float(np.exp(rng.uniform(np.log(80), np.log(900))))
    mesh = sheet(box(-HALF_LENGTH, 0, HALF_LENGTH, HEIGHT), 0.0, (0.0, 0.0, tile, tile))
    move = np.eye(4)
    move[:3, :3] = np.array([[away[1], -away[0], 0], [0, 0, 1], [-away[0], -away[1], 0]]).T
    move[:3, 3] = [*(distance * away), -1.0]
    image = picture(rng, 384, KINDS)
    if rng.random() < 0.12:
        return Part(mesh.transformed(move), Glowing(rng.uniform(0.3, 1.5) * image))
    finish = 'matte' if rng.random() < 0.6 else 'coated'
    return Part(mesh.transformed(move), Opaque(image, finish, rng.uniform(0.1, 0.4)))
