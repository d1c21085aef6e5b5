"""How plates are set out: alone, scattered, in rows, in stacks, with their lids beside them."""

from __future__ import annotations

import numpy as np

from .draw_plates import draw_kind, draw_loose_lid, draw_plate, pick
from .placement import Placed, arrange, ground_of, put
from .spec import PlateSpec, SceneSpec


def draw_arrangement(plates: PlateSpec, scene: SceneSpec, rng: np.random.Generator) -> list[Placed]:
    """Plates in one of the arrangements."""
    arrangement = pick(scene.arrangements, rng)
    if arrangement == 'none':
        return []
    count = int(rng.integers(scene.plates[0], scene.plates[1] + 1))
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


def draw_loose_lids(
    plates: PlateSpec, placed: list[Placed], rng: np.random.Generator
) -> list[Placed]:
    """Lids of open dishes, beside them, where there is room."""
    lids: list[Placed] = []
    for dish in [p for p in placed if p.item.category != 'multiwell_plate']:
        low = min(part.mesh.vertices[:, 2].min() for part in dish.item.parts)
        if 'lid' in dish.item.beds or low > 1.0 or rng.random() >= plates.loose_lid:
            continue
        lid = draw_loose_lid(plates, dish.item, rng)
        taken = [p.ground for p in [*placed, *lids]]
        middle = np.array(dish.ground.centroid.coords[0])
        for _ in range(20):
            away = np.sqrt(dish.ground.area) * rng.uniform(1.0, 1.6)
            angle, turn = rng.uniform(0, 2 * np.pi, 2)
            x, y = middle + away * np.array([np.cos(angle), np.sin(angle)])
            if all(ground_of(lid, x, y, turn).distance(ground) > 0.5 for ground in taken):
                lids.append(put(lid, float(x), float(y), 0.0, float(turn)))
                break
    return lids
