"""Positions of objects, without intersections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from shapely import affinity
from shapely.geometry import Polygon

from ..geometry.camera import Camera
from ..geometry.transforms import rotation_z
from ..objects.plates import Item

CLEARANCE = 1.0
"""Smallest distance in millimeters between objects on the bench."""
TRIES = 200
"""Number of random positions that are tried for each object."""


class PlacementError(RuntimeError):
    """There is no free position for an object."""


@dataclass(frozen=True, eq=False)
class Placed:
    """An item in the scene, its meshes in world coordinates.

    Args:
        item: The item, in world coordinates.
        ground: Area of the bench that it covers, in millimeters.
    """

    item: Item
    ground: Polygon

    @property
    def corners(self) -> np.ndarray:
        """Outline of the ground at the lowest and the highest z of the item, float64 (n, 3)."""
        flat = np.asarray(self.ground.exterior.coords)[:, :2]
        heights = [part.mesh.vertices[:, 2] for part in self.item.parts]
        low, high = min(h.min() for h in heights), max(h.max() for h in heights)
        return np.concatenate([np.column_stack([flat, np.full(len(flat), z)]) for z in (low, high)])

    @property
    def points(self) -> np.ndarray:
        """All vertices, in world millimeters, float64 of shape (n, 3)."""
        return np.concatenate([part.mesh.vertices for part in self.item.parts])


def ground_of(item: Item, x: float, y: float, turn: float) -> Polygon:
    """Area of the bench that an item covers at a position.

    Args:
        item: The item.
        x: Position in millimeters.
        y: Position in millimeters.
        turn: Rotation about its vertical axis in radians.
    """
    turned = affinity.rotate(item.footprint, turn, origin=(0, 0), use_radians=True)
    return affinity.translate(turned, x, y)


def put(item: Item, x: float, y: float, z: float, turn: float) -> Placed:
    """Place an item.

    Args:
        item: The item.
        x: Position in millimeters.
        y: Position in millimeters.
        z: Height of its bottom in millimeters.
        turn: Rotation about its vertical axis in radians.
    """
    move = rotation_z(turn)
    move[:3, 3] = [x, y, z]
    return Placed(item.transformed(move), ground_of(item, x, y, turn))


def arrange(
    piles: Sequence[Sequence[Item]], rng: np.random.Generator, aligned: bool
) -> list[Placed]:
    """Place stacks of plates around the origin.

    Args:
        piles: Plates of each stack, from the lowest to the highest.
        rng: Random generator.
        aligned: Whether stacks are placed in rows instead of scattered.

    Returns:
        Placed plates, stack by stack, from the lowest to the highest.

    Raises:
        PlacementError: If there is no free position for a stack.
    """
    spots = _rows(piles, rng) if aligned else _scattered(piles, rng)
    placed: list[Placed] = []
    for pile, (x, y, turn) in zip(piles, spots, strict=True):
        z = 0.0
        square = pile[0].category != 'petri_dish'
        for level, item in enumerate(pile):
            jitter = rng.normal(0, 0.25, 2) if level else np.zeros(2)
            extra = rng.normal(0, 0.004) if square else rng.uniform(0, 2 * np.pi)
            placed.append(put(item, x + jitter[0], y + jitter[1], z, turn + level * extra))
            z += item.height
    return placed


def _rows(
    piles: Sequence[Sequence[Item]], rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Positions (x, y, rotation) in rows, slightly irregular."""
    turn = rng.uniform(0, 2 * np.pi)
    columns = int(np.ceil(np.sqrt(len(piles)))) if len(piles) > 3 else len(piles)
    bounds = np.array([pile[0].footprint.bounds for pile in piles])
    pitch = (bounds[:, 2:] - bounds[:, :2]).max(axis=0) + rng.uniform(4, 25)
    spots = []
    for k in range(len(piles)):
        local = np.array([k % columns - (columns - 1) / 2, k // columns]) * pitch
        local += rng.normal(0, 0.6, 2)
        x = np.cos(turn) * local[0] - np.sin(turn) * local[1]
        y = np.sin(turn) * local[0] + np.cos(turn) * local[1]
        spots.append((float(x), float(y), turn + rng.normal(0, 0.012)))
    return spots


def _scattered(
    piles: Sequence[Sequence[Item]], rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Random positions (x, y, rotation) in a square that grows until all stacks fit."""
    area = sum(pile[0].footprint.area for pile in piles)
    taken: list[Polygon] = []
    spots = []
    for pile in piles:
        radius = 0.0 if not taken else 0.55 * np.sqrt(area)
        for attempt in range(TRIES):
            reach = radius * (1 + 2 * attempt / TRIES)
            x, y = reach * rng.uniform(-1, 1, 2)
            turn = rng.uniform(0, 2 * np.pi)
            ground = ground_of(pile[0], x, y, turn)
            if all(ground.distance(other) > CLEARANCE for other in taken):
                break
        else:
            raise PlacementError(f'no room for {pile[0].label} beside {len(taken)} other piles')
        taken.append(ground)
        spots.append((float(x), float(y), turn))
    return spots


def put_in_view(
    item: Item, camera: Camera, taken: Sequence[Polygon], rng: np.random.Generator
) -> Placed:
    """Place a distractor at a random free position in the camera's view.

    Args:
        item: The distractor.
        camera: The camera.
        taken: Areas of the bench that are covered already.
        rng: Random generator.

    Raises:
        PlacementError: If no free position is found.
    """
    lens = np.asarray(camera.origin)
    for _ in range(TRIES):
        x, y = rng.uniform(0.02, 0.98, 2) * [camera.width, camera.height]
        spot = camera.ground_point(x, y)
        if spot is None or np.abs(spot[:2]).max() > 600:
            continue
        turn = rng.uniform(0, 2 * np.pi)
        if item.faces_camera:
            towards = np.arctan2(lens[1] - spot[1], lens[0] - spot[0])
            turn = float(towards + np.pi / 2 + rng.normal(0, 0.5))
        # An object close to the lens would hide the scene.
        upright = np.array([spot[0], spot[1], min(item.height, lens[2])])
        if np.linalg.norm(upright - lens) < 0.35 * np.linalg.norm(lens - camera.target):
            continue
        ground = ground_of(item, spot[0], spot[1], turn)
        if all(ground.distance(other) > CLEARANCE for other in taken):
            return put(item, spot[0], spot[1], 0.0, turn)
    raise PlacementError(f'no room in view for a {item.label}')
