"""Objects with rows of holes or compartments that are not plates: racks, tip boxes, frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point, box
from shapely.geometry.base import BaseGeometry

from ..geometry.extrusion import extrude
from ..geometry.lofting import arc, loft
from ..geometry.mesh import Mesh, merge
from ..geometry.outlines import Outline
from .materials import Opaque, Part, interface
from .pictures import any_color, cover
from .plates import Item
from .solids import block, topped
from .textures import srgb


def grid(columns: int, rows: int, pitch_x: float, pitch_y: float) -> np.ndarray:
    """Points of a grid, centered at the origin.

    Args:
        columns: Number of points along x.
        rows: Number of points along y.
        pitch_x: Distance along x.
        pitch_y: Distance along y.

    Returns:
        Points row by row, float64 of shape (rows * columns, 2).

    Example:
        >>> grid(2, 1, 10.0, 10.0).tolist()
        [[-5.0, 0.0], [5.0, 0.0]]
    """
    x = (np.arange(columns) - (columns - 1) / 2) * pitch_x
    y = (np.arange(rows) - (rows - 1) / 2) * pitch_y
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def holes(centers: np.ndarray, width: float, square: bool = False) -> BaseGeometry:
    """Round or square holes.

    Args:
        centers: Centers in millimeters, float64 of shape (n, 2).
        width: Diameter or side in millimeters.
        square: Whether holes are square.
    """
    if square:
        half = width / 2
        return MultiPolygon([box(x - half, y - half, x + half, y + half) for x, y in centers])
    return shapely.union_all([Point(x, y).buffer(width / 2, quad_segs=4) for x, y in centers])


def copies(mesh: Mesh, places: np.ndarray) -> Mesh:
    """Merge copies of a mesh.

    Args:
        mesh: The mesh.
        places: Translation of each copy in millimeters, float64 of shape (n, 3).
    """
    moves = np.tile(np.eye(4), (len(places), 1, 1))
    moves[:, :3, 3] = places
    return merge(mesh.transformed(move) for move in moves)


def plastic(rng: np.random.Generator) -> Opaque:
    """Opaque plastic of a random color."""
    return Opaque(any_color(rng), 'coated', rng.uniform(0.15, 0.5))


def tip_box(rng: np.random.Generator) -> Item:
    """A box of pipette tips: 8 × 12 holes, with tips in none, some or all of them."""
    width, depth, height = rng.uniform(116, 126), rng.uniform(78, 88), rng.uniform(40, 70)
    outer = Outline(width, depth, 4.0, 4).polygon()
    inner = Outline(width - 6, depth - 6, 3.0, 4).polygon()
    centers = grid(12, 8, 9.0, 9.0)
    deck = inner.buffer(-0.3).difference(holes(centers, rng.uniform(5.0, 6.2)))
    body, rack = plastic(rng), plastic(rng)
    shell = extrude(
        [0, 2, height], [{'a': outer}, {'a': outer.difference(inner)}], ['a']
    )['a', 'air']  # fmt: skip
    parts = [Part(shell, body), block(deck, height - 6, height - 2, rack)]
    some = centers[rng.random(len(centers)) < rng.choice([0.0, 0.6, 1.0])]
    if len(some):
        # The upper part of a tip, open at the top; the rest is hidden in the box.
        collar = loft(
            Outline.circle(5.0, 3), [(0.6, -20), (0.0, 4), (0.5, 4), (1.2, -15), (2.5, -15)]
        )
        color = srgb(
            *[(236, 236, 232), (230, 200, 70), (90, 140, 210), (40, 40, 42)][rng.integers(4)]
        )
        tips = copies(collar, np.column_stack([some, np.full(len(some), height - 2.0)]))
        parts.append(Part(tips, Opaque(color, 'coated', 0.3)))
    footprint = outer
    if rng.random() < 0.35:
        # An open, hinged lid.
        lid = box(-width / 2, depth / 2 + 2, width / 2, depth / 2 + 5)
        parts.append(block(lid, height, height + depth * 0.8, plastic(rng)))
        footprint = box(*shapely.union_all([outer, lid]).bounds)
    return Item(tuple(parts), footprint, height + 6, transparent=False, label='tip box')


def tube_rack(rng: np.random.Generator) -> Item:
    """A rack with two perforated levels and tubes in some of the holes."""
    hole = float(rng.choice([11.0, 13.0, 17.0, 30.0]))
    pitch = hole * rng.uniform(1.15, 1.5)
    rows = int(np.clip(rng.integers(3, 7), 2, 110 // pitch))
    columns = int(np.clip(rng.integers(4, 13), 3, 260 // pitch))
    width, depth = columns * pitch + 8, rows * pitch + 8
    height = rng.uniform(22, 30) if hole < 12 else rng.uniform(45, 80)
    centers = grid(columns, rows, pitch, pitch)
    solid = Outline(width, depth, 2.0, 3).polygon()
    pierced = solid.difference(holes(centers, hole, square=rng.random() < 0.15))
    ends = solid.difference(box(-width / 2 + 4, -depth, width / 2 - 4, depth))
    middle = 0.55 * height
    levels = [0, 3, middle, middle + 3, height - 3, height]
    slices = [solid, ends, pierced, ends, pierced]
    material = plastic(rng)
    mesh = extrude(levels, [{'rack': figure} for figure in slices], ['rack'])['rack', 'air']
    parts = [Part(mesh, material)]
    some = centers[rng.random(len(centers)) < rng.choice([0.0, 0.0, 0.3, 0.8, 1.0])]
    if len(some):
        radius = 0.42 * hole
        rise = rng.uniform(4, 30)
        profile = [(radius, 4), (0.6 * radius, 4), *arc((1.0, height + rise), 1.0, 0, 90)]
        profile.append((radius, height + rise + 1.0))
        tube = loft(Outline.circle(2 * radius, 3), profile)
        for color in (any_color(rng), any_color(rng)):
            chosen = some[rng.random(len(some)) < 0.6]
            some = some[~np.isin(some[:, 0] * 1e3 + some[:, 1], chosen[:, 0] * 1e3 + chosen[:, 1])]
            if len(chosen):
                places = np.column_stack([chosen, np.zeros(len(chosen))])
                parts.append(Part(copies(tube, places), Opaque(color, 'coated', 0.3)))
    return Item(tuple(parts), solid, height, transparent=False, label='tube rack')


def sample_box(rng: np.random.Generator) -> Item:
    """A square freezer box with a grid of dividers and microtubes."""
    cells = int(rng.choice([7, 9, 10]))
    side, height = 133.0, rng.uniform(40, 55)
    pitch = 126.0 / cells
    centers = grid(cells, cells, pitch, pitch)
    outer = Outline(side, side, 2.0, 2).polygon()
    walls = outer.difference(holes(centers, pitch - 1.2, square=True))
    mesh = extrude([0, 2, height], [{'box': outer}, {'box': walls}], ['box'])['box', 'air']
    parts = [Part(mesh, Opaque(any_color(rng), 'matte'))]
    some = centers[rng.random(len(centers)) < rng.choice([0.1, 0.6, 0.95])]
    profile = [(5.0, 3), (0, 3), *arc((1.0, height - 3), 1.0, 0, 90), (5.0, height - 2)]
    tube = loft(Outline.circle(10.0, 3), profile)
    for color in (any_color(rng), srgb(235, 235, 230)):
        chosen = rng.random(len(some)) < 0.5
        if chosen.any():
            places = np.column_stack([some[chosen], np.zeros(chosen.sum())])
            parts.append(Part(copies(tube, places), Opaque(color, 'coated', 0.3)))
        some = some[~chosen]
    return Item(tuple(parts), outer, height, transparent=False, label='sample box')


def frame(rng: np.random.Generator) -> Item:
    """A machined frame with rectangular openings, with or without a floor, such as a stage."""
    width, depth = rng.uniform(90, 330), rng.uniform(80, 240)
    bar, height = rng.uniform(6, 22), rng.uniform(5, 40)
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    outer = Outline(width, depth, rng.uniform(1, 12), 4).polygon()
    pitch_x, pitch_y = (width - bar) / columns, (depth - bar) / rows
    openings = shapely.union_all(
        [
            box(x - (pitch_x - bar) / 2, y - (pitch_y - bar) / 2,
                x + (pitch_x - bar) / 2, y + (pitch_y - bar) / 2)
            for x, y in grid(columns, rows, pitch_x, pitch_y)
        ]
    )  # fmt: skip
    ring = outer.difference(openings)
    parts = [block(ring, 1.0, height, metal_or_plastic(rng))]
    if rng.random() < 0.5:
        parts.append(block(outer.buffer(-1.0), 0.0, 0.8, metal_or_plastic(rng)))
    screws = grid(columns + 1, rows + 1, pitch_x, pitch_y)
    head = loft(Outline.circle(5.0, 3), [(0, 0), (0, 1.5), (2.5, 1.5)])
    places = np.column_stack([screws, np.full(len(screws), height)])
    parts.append(Part(copies(head, places), Opaque(srgb(60, 60, 62), 'metal', 0.3)))
    return Item(tuple(parts), outer, height + 2, transparent=False, label='frame')


def metal_or_plastic(rng: np.random.Generator) -> Opaque:
    """Aluminum, or white, black or colored plastic."""
    if rng.random() < 0.35:
        return Opaque((0.6, 0.6, 0.6), 'metal', rng.uniform(0.15, 0.4))
    return Opaque([srgb(235, 235, 232), srgb(28, 28, 30), any_color(rng)][rng.integers(3)],
                  'coated', rng.uniform(0.15, 0.45))  # fmt: skip


def clear_box(rng: np.random.Generator) -> Item:
    """A transparent storage box with an object in it."""
    width, depth, height = rng.uniform(70, 180), rng.uniform(60, 140), rng.uniform(35, 80)
    outer = Outline(width, depth, 5.0, 4).polygon()
    inner = outer.buffer(-1.5)
    mesh = extrude(
        [0, 1.5, height], [{'a': outer}, {'a': outer.difference(inner)}], ['a']
    )['a', 'air']  # fmt: skip
    parts = [Part(mesh, interface('polypropylene', transmittance=(0.9, 0.9, 0.9)))]
    thing = Outline(0.5 * width, 0.5 * depth, 3.0, 3).polygon()
    parts += topped(thing, 2.0, 0.6 * height, plastic(rng), Opaque(cover(rng, 128)))
    return Item(tuple(parts), outer, height, transparent=True, label='clear box')


RACKS: dict[str, Callable[[np.random.Generator], Item]] = {
    'tip_box': tip_box,
    'tube_rack': tube_rack,
    'sample_box': sample_box,
    'frame': frame,
}
"""Functions that draw an opaque rack or frame at random, by its name in specs."""
