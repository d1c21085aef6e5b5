"""Objects that hold plates: decks with nests, and hands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Point, box

from ..geometry.mesh import merge
from ..geometry.outlines import Outline
from ..geometry.shapes import capsule
from .materials import Color, Opaque, Part
from .plates import Item
from .racks import grid, metal_or_plastic
from .solids import block
from .textures import srgb

FLOOR = 2.0
"""Thickness of a deck's floor in millimeters."""
SKINS = (srgb(240, 200, 170), srgb(222, 172, 138), srgb(176, 122, 88), srgb(108, 70, 48))
GLOVES = (srgb(60, 110, 200), srgb(110, 60, 170), srgb(232, 232, 228), srgb(24, 24, 26),
          srgb(70, 170, 150), srgb(235, 225, 190))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Deck:
    """A deck and the positions of plates on it.

    Args:
        item: The deck, centered at the origin.
        nests: Centers of the nests in millimeters, float64 of shape (n, 2).
        floor: Height of the nests' floor in millimeters.
    """

    item: Item
    nests: np.ndarray
    floor: float


def deck(
    columns: int, rows: int, size: tuple[float, float], round_nests: bool, rng: np.random.Generator
) -> Deck:
    """Build a deck with nests for plates, as in robots, microscopes, shakers and readers.

    Args:
        columns: Number of nests along x.
        rows: Number of nests along y.
        size: Width and depth of a nest in millimeters.
        round_nests: Whether nests are round.
        rng: Random generator.

    Example:
        >>> robot = deck(3, 2, (129.0, 87.0), False, np.random.default_rng(0))
        >>> robot.item.label, robot.nests.shape
        ('deck', (6, 2))
    """
    bar, height = rng.uniform(5, 28), FLOOR + rng.uniform(3, 14)
    nests = grid(columns, rows, size[0] + bar, size[1] + bar)
    margin = rng.uniform(4, 40)
    width = columns * (size[0] + bar) + margin
    depth = rows * (size[1] + bar) + margin
    outer = Outline(width, depth, rng.uniform(1, 10), 4).polygon()
    half_x, half_y = size[0] / 2, size[1] / 2
    openings = [
        Point(x, y).buffer(half_x, quad_segs=24)
        if round_nests
        else box(x - half_x, y - half_y, x + half_x, y + half_y)
        for x, y in nests
    ]
    walls = outer.difference(shapely.union_all(openings))
    if rng.random() < 0.4:
        # Walls at the corners of the nests only.
        inner = [box(x - half_x - bar, y - 0.6 * half_y, x + half_x + bar, y + 0.6 * half_y)
                 for x, y in nests]  # fmt: skip
        across = [box(x - 0.6 * half_x, y - half_y - bar, x + 0.6 * half_x, y + half_y + bar)
                  for x, y in nests]  # fmt: skip
        walls = walls.difference(shapely.union_all(inner + across))
    material = metal_or_plastic(rng)
    parts = [block(outer.buffer(-0.2), 0.0, FLOOR, metal_or_plastic(rng))]
    parts.append(block(walls, FLOOR + 0.05, height, material))
    item = Item(tuple(parts), outer, height, transparent=False, label='deck')
    return Deck(item, nests, FLOOR + 0.1)


def hand(edge: float, height: float, rng: np.random.Generator) -> list[Part]:
    """Build a hand, bare or gloved, that holds a plate at its edge: fingers below, thumb on top.

    Args:
        edge: Distance from the plate's center to its edge along +x in millimeters.
        height: Height of the plate in millimeters.
        rng: Random generator.

    Returns:
        Hand and sleeve, in the plate's coordinates.
    """
    gloved = rng.random() < 0.6
    skin = _varied(GLOVES[rng.integers(len(GLOVES))] if gloved else SKINS[rng.integers(4)], rng)
    size = rng.uniform(0.85, 1.1)
    wrist = np.array([edge + 105.0, rng.uniform(-15, 15), rng.uniform(-15, 5)])
    meshes = []
    for place in (-1.5, -0.5, 0.5, 1.5):
        radius = size * 8.5
        below = -radius - 0.5
        y = 18.0 * size * place
        tip = np.array([edge - rng.uniform(15, 45), 0.85 * y + rng.normal(0, 2), below])
        knuckle = np.array([edge + 12.0, y, below - rng.uniform(0, 4)])
        root = np.array([edge + 42.0, y, below + 6.0])
        meshes += [
            capsule(knuckle, tip, radius, 0.85 * radius),
            capsule(root, knuckle, 1.1 * radius),
        ]
        meshes.append(capsule(wrist, root, 22.0 * size, 12.0 * size))
    radius = size * 10.0
    side = float(rng.choice([-1, 1]))
    tip = np.array([edge - rng.uniform(6, 30), side * rng.uniform(0, 15), height + radius + 0.4])
    bend = np.array([edge + 18.0, side * 22.0, height + radius + rng.uniform(2, 8)])
    base = np.array([edge + 60.0, side * 30.0, 4.0])
    meshes += [capsule(bend, tip, radius, 0.85 * radius), capsule(base, bend, 1.3 * radius, radius)]
    elbow = wrist + [rng.uniform(180, 260), rng.uniform(-60, 60), -10.0]
    sleeve = srgb(238, 238, 236) if rng.random() < 0.5 else _varied(srgb(120, 120, 120), rng)
    cuff = wrist + 0.15 * (elbow - wrist)
    return [
        Part(merge(meshes), Opaque(skin, 'coated' if gloved else 'matte', 0.45)),
        Part(capsule(cuff, elbow, 32.0 * size, 42.0 * size), Opaque(sleeve)),
    ]


def _varied(color: Color, rng: np.random.Generator) -> Color:
    """A random color close to the given one."""
    red, green, blue = np.asarray(color) * rng.uniform(0.7, 1.2, 3)
    return (min(float(red), 0.95), min(float(green), 0.95), min(float(blue), 0.95))
