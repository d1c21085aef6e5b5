"""Arrangements of plates: single, scattered, in rows or stacks, in decks, with loose lids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..geometry.transforms import rotation_z
from ..objects.devices import instrument
from ..objects.dishes import LID_RIDGE, LID_WALL
from ..objects.holders import deck, hand
from ..objects.plates import Item
from .draw_plates import draw_kind, draw_loose_lid, draw_plate, pick
from .placement import Placed, arrange, ground_of, put
from .spec import PlateSpec, SceneSpec


def draw_arrangement(plates: PlateSpec, scene: SceneSpec, rng: np.random.Generator) -> list[Placed]:
    """Sample plates and their positions.

    Args:
        plates: Distribution of the plates.
        scene: Distribution of arrangements and counts.
        rng: Random generator.

    Returns:
        Plates, and what holds them; empty for the arrangement `none`.

    Raises:
        PlacementError: If no space is found for the plates.
    """
    arrangement = pick(scene.arrangements, rng)
    if arrangement == 'none':
        return []
    count = int(rng.integers(scene.plates[0], scene.plates[1] + 1))
    if arrangement in HELD:
        return HELD[arrangement](plates, rng)
    if arrangement == 'single':
        piles = [[draw_plate(plates, rng)]]
    elif arrangement == 'scatter':
        piles = [[draw_plate(plates, rng)] for _ in range(count)]
    elif arrangement == 'row':
        kind = draw_kind(plates, rng)
        piles = [[draw_plate(plates, rng, kind)] for _ in range(count)]
    else:
        piles = []
        for _ in range(int(rng.integers(1, 4))):
            kind = draw_kind(plates, rng)
            high = int(rng.integers(scene.stack_height[0], scene.stack_height[1] + 1))
            piles.append([draw_plate(plates, rng, kind, stacked=True) for _ in range(high)])
    return arrange(piles, rng, aligned=arrangement == 'row')


def _deck(plates: PlateSpec, rng: np.random.Generator) -> list[Placed]:
    """A deck with plates of one kind in some of its nests."""
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    return _on_deck(plates, columns, rows, rng.uniform(0, 2 * np.pi), rng)


def _empty_deck(plates: PlateSpec, rng: np.random.Generator) -> list[Placed]:
    """A deck without plates."""
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    size = (127.8, 85.5) if rng.random() < 0.7 else (92.0, 92.0)
    holder = deck(columns, rows, size, round_nests=size[0] == size[1], rng=rng)
    return [put(holder.item, 0.0, 0.0, 0.0, rng.uniform(0, 2 * np.pi))]


def _on_deck(
    plates: PlateSpec, columns: int, rows: int, turn: float, rng: np.random.Generator
) -> list[Placed]:
    """A deck with plates of one kind in up to four of its nests."""
    kind = draw_kind(plates, rng)
    taken = rng.permutation(columns * rows)[: int(rng.integers(1, 5))]
    items = [draw_plate(plates, rng, kind) for _ in taken]
    bounds = np.array([item.footprint.bounds for item in items])
    width, depth = (bounds[:, 2:] - bounds[:, :2]).max(axis=0) + rng.uniform(1.0, 4.0)
    holder = deck(columns, rows, (float(width), float(depth)), kind[0] == 'petri_dish', rng)
    placed = [put(holder.item, 0.0, 0.0, 0.0, turn)]
    for item, nest in zip(items, taken, strict=True):
        x, y = holder.nests[nest]
        at_x, at_y = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
        flip = np.pi * float(rng.integers(2))
        placed.append(put(item, float(at_x), float(at_y), holder.floor, turn + flip))
    return placed


def _reader(plates: PlateSpec, rng: np.random.Generator) -> list[Placed]:
    """A plate on the tray of a machine, in front of it or partly inside."""
    turn = rng.uniform(0, 2 * np.pi)
    placed = _on_deck(plates, 1, 1, turn, rng)
    machine = instrument(rng)
    tray = placed[0].item
    depth = float(np.ptp(np.asarray(placed[0].ground.exterior.coords), axis=0).max())
    half = float(machine.footprint.bounds[3])
    high = max(part.mesh.vertices[:, 2].max() for p in placed for part in p.item.parts)
    away = half + depth / 2 * rng.uniform(0.75, 1.4)
    x, y = -np.sin(turn) * away, np.cos(turn) * away
    # The machine starts above the plate, which leaves a slot for it.
    rise = max(float(high), tray.height) + rng.uniform(2, 12)
    return [*placed, put(machine, float(x), float(y), rise, turn + rng.normal(0, 0.02))]


def _held(plates: PlateSpec, rng: np.random.Generator) -> list[Placed]:
    """A tilted plate in a hand above the bench."""
    item = draw_plate(plates, rng)
    side = int(rng.integers(4))
    reach = item.footprint.bounds[2] if side % 2 == 0 else item.footprint.bounds[3]
    fingers = Item(
        tuple(hand(float(reach), item.height, rng)), item.footprint, 0.0, transparent=False,
        label='hand',
    ).transformed(rotation_z(side * np.pi / 2))  # fmt: skip
    turn, tilt, lean = rng.uniform(0, 2 * np.pi), *np.radians(rng.uniform(-30, 30, 2))
    roll = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    pitch = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
    move = np.eye(4)
    move[:3, :3] = roll @ pitch @ rotation_z(turn)[:3, :3]
    move[2, 3] = rng.uniform(180, 300)
    ground = ground_of(item, 0.0, 0.0, turn)
    return [Placed(item.transformed(move), ground), Placed(fingers.transformed(move), ground)]


HELD: dict[str, Callable[[PlateSpec, np.random.Generator], list[Placed]]] = {
    'deck': _deck,
    'empty_deck': _empty_deck,
    'reader': _reader,
    'held': _held,
}
"""Arrangements in which an object holds the plates, by name."""


def draw_loose_lids(
    plates: PlateSpec, placed: list[Placed], rng: np.random.Generator
) -> list[Placed]:
    """Sample loose lids of open dishes, beside or leaning on them, where there is space.

    Args:
        plates: Distribution of the plates, with the probability of a loose lid.
        placed: Objects of the scene so far.
        rng: Random generator.

    Returns:
        The lids.
    """
    lids: list[Placed] = []
    for dish in [p for p in placed if p.item.category in ('petri_dish', 'square_dish')]:
        low = min(part.mesh.vertices[:, 2].min() for part in dish.item.parts)
        if 'lid' in dish.item.surfaces or low > 1.0 or rng.random() >= plates.loose_lid:
            continue
        lid = draw_loose_lid(plates, dish.item, rng)
        upside_down = 'upside down' in lid.label
        round_and_open = dish.item.category == 'petri_dish' and not upside_down
        others = [p.ground for p in [*placed, *lids] if p is not dish]
        for _ in range(20):
            leans = round_and_open and rng.random() < 0.35
            spot = _leaning(lid, dish, rng) if leans else _beside(lid, dish, rng)
            near = others if leans else [*others, dish.ground]
            if all(spot.ground.distance(ground) > 0.5 for ground in near):
                lids.append(spot)
                break
    return lids


def _beside(lid: Item, dish: Placed, rng: np.random.Generator) -> Placed:
    """A lid on the bench next to its dish."""
    middle = np.array(dish.ground.centroid.coords[0])
    gap = (np.sqrt(lid.footprint.area) + np.sqrt(dish.ground.area)) / 2
    away = gap * rng.uniform(1.15, 1.6)
    angle, turn = rng.uniform(0, 2 * np.pi, 2)
    x, y = middle + away * np.array([np.cos(angle), np.sin(angle)])
    return put(lid, float(x), float(y), 0.0, float(turn))


def _leaning(lid: Item, dish: Placed, rng: np.random.Generator) -> Placed:
    """A lid that leans on the rim of its round dish."""
    radius, rim = lid.footprint.bounds[2], dish.ground.bounds
    dish_radius = (rim[2] - rim[0]) / 2
    height = max(part.mesh.vertices[:, 2].max() for part in dish.item.parts) + 0.4
    inner = lid.height - LID_RIDGE - LID_WALL
    contact = radius * rng.uniform(-0.75, 0.3)
    # One edge stands on the bench, and the underside of the top meets the rim at `contact`.
    lever = radius - contact
    tilt = np.arcsin(min(height / np.hypot(lever, inner), 1.0)) - np.arctan2(inner, lever)
    x = dish_radius - contact * np.cos(tilt) - inner * np.sin(tilt)
    move = np.array(
        [
            [np.cos(tilt), 0, np.sin(tilt), x],
            [0, 1, 0, 0],
            [-np.sin(tilt), 0, np.cos(tilt), radius * np.sin(tilt) + 0.1],
            [0, 0, 0, 1],
        ]
    )
    angle = rng.uniform(0, 2 * np.pi)
    middle = np.array(dish.ground.centroid.coords[0])
    place = rotation_z(angle)
    place[:2, 3] = middle
    spot = middle + x * np.array([np.cos(angle), np.sin(angle)])
    ground = ground_of(lid, float(spot[0]), float(spot[1]), 0.0)
    return Placed(lid.transformed(place @ move), ground)
