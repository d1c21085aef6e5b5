"""Sample plates from a spec: class, size, contents, lid and markings."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..geometry.mesh import merge
from ..objects import growth, markings
from ..objects.dishes import PETRI_SIZES, SQUARE_SIZES, Agar, dish, loose_lid
from ..objects.materials import Coating, Color, Glowing, Material, Opaque, Part
from ..objects.multiwell import (
    LAYOUTS,
    Filling,
    WellLayout,
    multiwell_plate,
    well_names,
    well_stains,
)
from ..objects.pictures import any_color
from ..objects.plates import Item
from ..objects.textures import srgb
from .spec import PlateSpec, Weights

AGARS = (
    ('plain', (0.004, 0.008, 0.020), srgb(200, 190, 150)),
    ('lb', (0.010, 0.022, 0.075), srgb(205, 180, 105)),
    ('mueller_hinton', (0.008, 0.014, 0.040), srgb(196, 186, 150)),
    ('macconkey', (0.010, 0.075, 0.050), srgb(190, 90, 95)),
    ('potato', (0.012, 0.020, 0.040), srgb(190, 175, 140)),
    ('chocolate', (0.10, 0.22, 0.35), srgb(112, 64, 40)),
)
"""Media: name, absorption coefficients in 1/mm (linear RGB) and color of scattered light. They are
estimated from photographs, since manufacturers publish no optical constants."""

LIQUIDS = (
    (0.0, 0.0, 0.0),
    (0.003, 0.035, 0.045),
    (0.004, 0.020, 0.110),
    (0.045, 0.090, 0.012),
    (0.150, 0.040, 0.008),
    (0.060, 0.160, 0.020),
)
"""Absorption coefficients in 1/mm, linear RGB: water, medium with phenol red, yellow medium, and
dyes."""


def pick(weights: Weights, rng: np.random.Generator) -> Any:
    """Draw a key with a probability proportional to its weight.

    Args:
        weights: Weight of each key.
        rng: Random generator.

    Example:
        >>> pick({'a': 1.0, 'b': 0.0}, np.random.default_rng(0))
        'a'
    """
    names = list(weights)
    share = np.array([weights[name] for name in names], float)
    return names[rng.choice(len(names), p=share / share.sum())]


def draw_kind(plates: PlateSpec, rng: np.random.Generator) -> tuple[str, Any]:
    """Sample class and size of a plate.

    Args:
        plates: Distribution of the plates.
        rng: Random generator.

    Returns:
        Class, and nominal size or number of wells.
    """
    category = pick(plates.classes, rng)
    sizes = {
        'petri_dish': plates.petri_sizes,
        'square_dish': plates.square_sizes,
        'multiwell_plate': plates.wells,
    }
    return category, pick(sizes[category], rng)


def draw_plate(
    plates: PlateSpec,
    rng: np.random.Generator,
    kind: tuple[str, Any] | None = None,
    stacked: bool = False,
) -> Item:
    """Sample a plate with its contents and markings.

    Args:
        plates: Distribution of the plates.
        rng: Random generator.
        kind: Class and size, from `draw_kind`; None to sample them.
        stacked: Whether the plate is part of a stack: with a lid and not upside down.
    """
    category, size = kind or draw_kind(plates, rng)
    lid = stacked or bool(rng.random() < plates.lid)
    if category == 'multiwell_plate':
        item = _multiwell(plates, int(size), lid, rng)
    else:
        item = _dish(plates, category, size, lid, rng)
    item = item.with_parts(_marks(item, plates, rng))
    if 'lid' in item.surfaces and rng.random() < plates.sticker:
        item = item.with_parts(markings.sticker(item.surfaces['lid'], rng))
    elif rng.random() < plates.writing:
        surface = 'lid' if 'lid' in item.surfaces and rng.random() < 0.5 else 'floor'
        if surface in item.surfaces:
            item = item.with_parts(
                markings.writing(item.surfaces[surface], rng, from_below=surface == 'floor')
            )
    if category != 'multiwell_plate' and not stacked and rng.random() < plates.upside_down:
        item = item.upside_down()
    return item


def draw_loose_lid(plates: PlateSpec, dish: Item, rng: np.random.Generator) -> Item:
    """Sample the lid of a dish, with or without markings.

    Args:
        plates: Distribution of the plates.
        dish: The dish that the lid fits.
        rng: Random generator.
    """
    catalog = PETRI_SIZES if dish.category == 'petri_dish' else SQUARE_SIZES
    width = dish.surfaces['floor'].outline.width
    size = min(catalog.values(), key=lambda size: abs(size.width - 10.0 - width))
    item = loose_lid(size, str(dish.category), _plastic(rng), bool(rng.random() < 0.4))
    kind = rng.random()
    if kind < plates.tags:
        return item.with_parts(markings.tag(item.surfaces['lid'], rng))
    if kind < plates.tags + plates.writing:
        return item.with_parts(markings.writing(item.surfaces['lid'], rng, from_below=False))
    return item


def _marks(item: Item, plates: PlateSpec, rng: np.random.Generator) -> list[Part]:
    """Tags, drops and scratches; without them in the spec no random number is drawn."""
    parts: list[Part] = []
    if plates.tags and rng.random() < plates.tags:
        surface = item.surfaces.get('lid', item.surfaces.get('growth'))
        for _ in range(int(rng.integers(1, 4))):
            parts += markings.tag(surface, rng) if surface else []
    if plates.worn and 'lid' in item.surfaces and rng.random() < plates.worn:
        parts += markings.wear(item.surfaces['lid'], rng)
    return parts


def _plastic(rng: np.random.Generator) -> Color:
    """Transmittance of a polystyrene surface: nearly 1, a little less in blue."""
    return tuple(rng.uniform(0.97, 0.995) * np.array([1.0, 1.0, rng.uniform(0.985, 1.0)]))


def _dish(plates: PlateSpec, category: str, size: Any, lid: bool, rng: np.random.Generator) -> Item:
    """A Petri or square dish with its contents."""
    dimensions = (PETRI_SIZES if category == 'petri_dish' else SQUARE_SIZES)[size]
    plastic = _plastic(rng)
    what = pick(plates.growth, rng)
    if what == 'empty':
        return dish(dimensions, category, None, lid, plastic)
    _, absorption, color = AGARS[rng.choice(len(AGARS), p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])]
    if what in ('blood', 'seedlings'):
        absorption = AGARS[0][1]
    depth = rng.uniform(2.8, min(5.0, dimensions.height / 2 - 1.2))
    item = dish(dimensions, category, Agar(depth, absorption, rng.uniform(0.6, 1.3)), lid, plastic)
    surface = item.surfaces['growth']
    haze = rng.uniform(0.02, 0.35) * (0.25 if what == 'seedlings' else 1.0)
    parts = growth.turbidity(surface, rng, color, haze)
    area = (dimensions.width / 90) ** 2
    colony = growth.COLONY_COLORS[rng.integers(len(growth.COLONY_COLORS))]
    if what == 'colonies':
        parts += growth.colonies(surface, rng, int(rng.integers(5, 160) * area) + 3, colony)
    elif what == 'lawn':
        dispensed = [0, 4, 5, 6] if category == 'petri_dish' else [0, 9, 16, 16]
        discs = 0 if dimensions.width < 80 else int(rng.choice(dispensed))
        parts += growth.lawn(surface, rng, color, discs, rng.uniform(0.3, 0.75))
    elif what == 'streaks':
        parts += growth.streaks(surface, rng, colony)
    elif what == 'blood':
        parts = growth.blood(surface, rng)
        if rng.random() < 0.5:
            parts += growth.colonies(surface, rng, int(rng.integers(5, 80) * area) + 3, colony)
    elif what == 'mold':
        parts += growth.mold(surface, rng, int(rng.integers(1, 6)))
    elif what == 'seedlings':
        parts += growth.seedlings(surface, rng, int(rng.integers(3, 9)))
    elif what == 'membranes':
        parts += growth.membranes(surface, rng)
    elif what == 'pieces':
        parts += growth.pieces(surface, rng)
    elif what == 'colored':
        parts = growth.colored(surface, rng)
        on_top = rng.random()
        if on_top < 0.4:
            count = int(rng.integers(5, 80) * area) + 3
            parts += growth.colonies(surface, rng, count, any_color(rng))
        elif on_top < 0.75:
            parts += (growth.pieces if on_top < 0.6 else growth.membranes)(surface, rng)
    if plates.fluorescent and rng.random() < plates.fluorescent:
        parts = [_glowing(part, rng) for part in parts]
    return item.with_parts(parts)


def _multiwell(plates: PlateSpec, wells: int, lid: bool, rng: np.random.Generator) -> Item:
    """A multiwell plate, empty or partly filled, sometimes with stained wells."""
    layout = LAYOUTS[wells]
    plastic = _plastic(rng)
    fillings: list[Filling] = []
    filled: list[int] = []
    if rng.random() < plates.filled_wells:
        depth = rng.uniform(0.15, 0.7) * layout.well_depth
        order = rng.permutation(layout.count) if rng.random() < 0.4 else np.arange(layout.count)
        filled = order[: int(layout.count * rng.uniform(0.3, 1.0)) + 1].tolist()
        colors = rng.permutation(len(LIQUIDS))[: rng.integers(1, 4)]
        # As in dilution series and controls, neighboring wells share a liquid.
        runs = np.array_split(np.array(filled), len(colors))
        fillings = [
            Filling(tuple(run.tolist()), depth, LIQUIDS[c])
            for run, c in zip(runs, colors, strict=True)
            if len(run)
        ]
    opaque = None
    if plates.opaque_plastic and rng.random() < plates.opaque_plastic:
        shade = srgb(*[float(rng.choice([rng.uniform(15, 40), rng.uniform(215, 245)]))] * 3)
        opaque = Opaque(shade, 'coated', 0.3)
    vivid = bool(plates.vivid_wells and rng.random() < plates.vivid_wells)
    item = multiwell_plate(layout, [] if vivid else fillings, lid, plastic, opaque)
    if vivid:
        glow = bool(plates.fluorescent and rng.random() < plates.fluorescent)
        return _lettered(item.with_parts(_vivid_wells(layout, glow, rng)), layout, plates, rng)
    item = _lettered(item, layout, plates, rng)
    if filled and rng.random() < 0.3:
        some = rng.permutation(filled)[: max(1, len(filled) // 3)].tolist()
        color = [srgb(90, 40, 130), srgb(60, 90, 170), srgb(180, 60, 90)][rng.integers(3)]
        mesh = merge(well_stains(layout, some))
        item = item.with_parts([Part(mesh, Coating(color, rng.uniform(0.3, 0.85), True))])
    return item


def _lettered(item: Item, layout: WellLayout, plates: PlateSpec, rng: np.random.Generator) -> Item:
    """Add row letters and column numbers; without them in the spec no random number is drawn."""
    if plates.lettered and rng.random() < plates.lettered:
        return item.with_parts(well_names(layout))
    return item


def _vivid_wells(layout: WellLayout, glow: bool, rng: np.random.Generator) -> list[Part]:
    """Wells with strong colors and uneven levels, at random, by rows, by columns or diagonally."""
    palette = [any_color(rng) for _ in range(int(rng.integers(1, 7)))]
    rows, columns = np.divmod(np.arange(layout.count), layout.columns)
    order = [rows, columns, rng.integers(0, 1000, layout.count), rows + columns][rng.integers(4)]
    group = order * len(palette) // (order.max() + 1) if rng.random() < 0.5 else order
    full = rng.random(layout.count) < rng.choice([0.15, 0.5, 0.9, 1.0])
    if rng.random() < 0.3:
        full &= rows < rng.integers(1, layout.rows + 1)
    levels = rng.uniform(0.05, 0.75, int(rng.integers(1, 4))) * layout.well_depth
    level = rng.integers(0, len(levels), layout.count)
    parts = []
    for k, color in enumerate(palette):
        for m, height in enumerate(levels):
            wells = np.flatnonzero(full & (group % len(palette) == k) & (level == m))
            if len(wells):
                mesh = merge(well_stains(layout, wells.tolist(), max(height, 0.15)))
                material: Material = Opaque(color, 'coated', 0.1)
                if glow:
                    material = Glowing(tuple(rng.uniform(0.3, 2.0) * np.asarray(color)))
                parts.append(Part(mesh, material))
    return parts


def _glowing(part: Part, rng: np.random.Generator) -> Part:
    """Make an opaque part fluorescent: it emits light."""
    if not isinstance(part.material, Opaque):
        return part
    hue = np.eye(3)[rng.integers(3)] + rng.uniform(0, 0.5, 3)
    return Part(part.mesh, Glowing(tuple(rng.uniform(0.2, 1.5) * hue)))
