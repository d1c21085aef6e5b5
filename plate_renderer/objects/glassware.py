"""Glassware: transparent objects other than plates.

Most are walls of constant thickness, swept around a circle. Sizes follow common standards (beakers
ISO 3819 low form, laboratory bottles ISO 4796-1, Erlenmeyer flasks ISO 1773), rounded to a few
millimeters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from shapely.geometry import box

from ..geometry.extrusion import extrude
from ..geometry.lofting import loft
from ..geometry.outlines import Outline
from ..geometry.shapes import sheet
from .materials import Coating, Color, Opaque, Part, absorbed, interface
from .plates import Item
from .solids import SEGMENTS, cylinder, round_item
from .textures import srgb

LIFT = 0.1
"""Distance of a coating from the glass in millimeters, more than Mitsuba's tolerance."""


def vessel(
    outer: Sequence[tuple[float, float]],
    wall: float,
    glass: str,
    fill: float = 0.0,
    absorption: Color = (0.0, 0.0, 0.0),
) -> list[Part]:
    """Build a round vessel of constant wall thickness, standing on z = 0.

    Args:
        outer: Outer profile (radius, z) in millimeters from the edge of the bottom to the rim, with
            ascending heights.
        wall: Thickness of the wall in millimeters; the bottom is 1.5 times as thick.
        glass: Material of the wall, a name in `materials.IOR`.
        fill: Height of the liquid's surface above z = 0 in millimeters; 0 for an empty vessel.
        absorption: Absorption coefficients of the liquid in 1/mm, linear RGB.

    Returns:
        The glass–air interface, and with a liquid the glass–water and water–air interfaces.

    Example:
        >>> tumbler = vessel([(30, 0), (30, 90)], wall=2.0, glass='soda_lime_glass', fill=40)
        >>> len(tumbler)
        3
    """
    radii, heights = np.array(outer, float).T
    widest = radii.max()
    outline = Outline.circle(2 * widest, SEGMENTS)
    base = 1.5 * wall
    z_inside = np.concatenate([[base], heights[heights > base + 0.5]])
    r_inside = np.interp(z_inside, heights, radii) - wall
    inside = list(zip((widest - r_inside).tolist(), z_inside.tolist(), strict=True))
    outside = list(zip((widest - radii).tolist(), heights.tolist(), strict=True))
    axis = (widest, base)
    rim = [
        (inset + wall * (1 - np.cos(t)) / 2, z + 0.5 * wall * np.sin(t))
        for inset, z in outside[-1:]
        for t in np.radians([45, 90, 135])
    ]
    down = inside[::-1]
    closed = [(widest, 0.0), *outside, *rim]
    if not base + 2 < fill < heights[-1] - 2:
        return [Part(loft(outline, [*closed, *down, axis]), interface(glass))]
    level = (widest - (np.interp(fill, heights, radii) - wall), fill)
    dry = [point for point in down if point[1] > fill]
    wet = [point for point in down if point[1] < fill]
    tint = absorbed(absorption, 2 * float(widest))
    return [
        Part(loft(outline, [*closed, *dry, level]), interface(glass)),
        Part(loft(outline, [level, *wet, axis]), interface(glass, 'water')),
        Part(loft(outline, [level, (widest, fill)]), interface('water', transmittance=tint)),
    ]


def beaker(rng: np.random.Generator) -> Item:
    """Low-form beaker of 50 to 600 mL."""
    diameter, height = [(42, 60), (50, 70), (70, 95), (90, 125)][rng.integers(4)]
    radius = diameter / 2
    profile = [(radius - 3, 0), (radius, 4), (radius, height - 6), (radius + 2.5, height)]
    fill = rng.choice([0.0, rng.uniform(0.2, 0.8)]) * height
    parts = vessel(profile, 1.5, 'borosilicate_glass', fill, liquid(rng))
    return round_item(parts, radius + 2.5, height, 'beaker')


def flask(rng: np.random.Generator) -> Item:
    """Erlenmeyer flask of 100 to 250 mL."""
    radius, height = [(32, 105), (42, 140)][rng.integers(2)]
    neck = 0.36 * radius
    profile = [
        (radius - 4, 0), (radius, 5), (radius - 1, 12), (neck, 0.72 * height), (neck, height - 4),
        (neck + 2.5, height),
    ]  # fmt: skip
    fill = rng.choice([0.0, rng.uniform(0.1, 0.5)]) * height
    parts = vessel(profile, 1.6, 'borosilicate_glass', fill, liquid(rng))
    return round_item(parts, radius, height, 'flask')


def bottle(rng: np.random.Generator) -> Item:
    """Laboratory bottle of 100 to 500 mL with a screw cap."""
    radius, height = [(28, 95), (35, 130), (43, 170)][rng.integers(3)]
    neck = min(0.55 * radius, 17.0)
    shoulder = 0.68 * height
    profile = [
        (radius - 4, 0), (radius, 4), (radius, shoulder), (0.85 * radius, shoulder + 0.1 * height),
        (neck, 0.84 * height), (neck, height - 8),
    ]  # fmt: skip
    parts = vessel(profile, 2.2, 'borosilicate_glass', rng.uniform(0, 0.65) * height, liquid(rng))
    color = [srgb(30, 70, 150), srgb(180, 40, 36), srgb(236, 236, 232)][rng.integers(3)]
    parts.append(cylinder(neck + 4, 24.0, height - 6, Opaque(color, 'coated', 0.3)))
    return round_item(parts, radius, height + 18, 'bottle')


def vial(rng: np.random.Generator) -> Item:
    """Scintillation or sample vial, with or without a cap."""
    radius, height = [(7.5, 32), (11, 46), (14, 58)][rng.integers(3)]
    profile = [
        (radius - 1, 0), (radius, 1.5), (radius, 0.78 * height), (0.75 * radius, 0.86 * height),
        (0.75 * radius, height),
    ]  # fmt: skip
    parts = vessel(profile, 1.0, 'borosilicate_glass', rng.uniform(0, 0.7) * height, liquid(rng))
    if rng.random() < 0.7:
        color = [srgb(238, 238, 236), srgb(26, 26, 28), srgb(200, 120, 30)][rng.integers(3)]
        cap = Opaque(color, 'coated', 0.25)
        parts.append(cylinder(0.95 * radius, 9.0, height + 1.0, cap))
        height += 10
    return round_item(parts, radius, height, 'vial')


def test_tube(rng: np.random.Generator) -> Item:
    """Capped tube lying on the bench."""
    radius, length = [(6.0, 75.0), (8.0, 100.0), (14.0, 115.0)][rng.integers(3)]
    profile = [
        (0.25 * radius, 0), (0.7 * radius, 0.12 * length), (radius, 0.2 * length), (radius, length)
    ]  # fmt: skip
    parts = vessel(profile, 1.0, 'polypropylene')
    color = [srgb(30, 90, 170), srgb(190, 60, 40), srgb(235, 150, 40)][rng.integers(3)]
    parts.append(cylinder(radius + 1.5, 12.0, length + 1.5, Opaque(color, 'coated', 0.3)))
    # The cap makes the tube 13.5 mm longer; its radius is 1.5 mm larger than the tube's.
    reach = length / 2 + 8
    item = Item(tuple(parts), box(-reach, -radius - 2, reach, radius + 2), 2 * radius + 3,
                label='tube')  # fmt: skip
    start = -(length + 13.5) / 2
    lying = np.array([[0.0, 0, 1, start], [0, 1, 0, 0], [-1, 0, 0, radius + 1.6], [0, 0, 0, 1]])
    return item.transformed(lying)


def glass_sheet(rng: np.random.Generator) -> Item:
    """Pane of greenish float glass, 3 to 8 mm thick."""
    width, depth = rng.uniform(60, 160, 2)
    figure = Outline(width, depth, 1.0, 2).polygon()
    thickness = rng.uniform(3, 8)
    mesh = extrude([0, thickness], [{'glass': figure}], ['glass'])['glass', 'air']
    part = Part(mesh, interface('soda_lime_glass', transmittance=(0.93, 0.99, 0.96)))
    return Item((part,), figure, thickness, label='glass sheet')


def slide(rng: np.random.Generator) -> Item:
    """Microscope slide of 76 × 26 × 1 mm (ISO 8037-1) with a frosted end."""
    figure = box(-38, -13, 38, 13)
    mesh = extrude([0, 1.0], [{'glass': figure}], ['glass'])['glass', 'air']
    frost = Part(sheet(box(18, -13, 38, 13), 1.0 + LIFT), Coating(srgb(225, 228, 230), 0.85))
    return Item((Part(mesh, interface('soda_lime_glass')), frost), figure, 1.2, label='slide')


def liquid(rng: np.random.Generator) -> Color:
    """Absorption coefficients of water, a dye or a culture medium in 1/mm, linear RGB."""
    kinds = [(0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.002, 0.01, 0.05), (0.004, 0.04, 0.02),
             (0.05, 0.012, 0.002)]  # fmt: skip
    return kinds[rng.integers(len(kinds))]


GLASSWARE: dict[str, Callable[[np.random.Generator], Item]] = {
    'beaker': beaker,
    'flask': flask,
    'bottle': bottle,
    'vial': vial,
    'test_tube': test_tube,
    'glass_sheet': glass_sheet,
    'slide': slide,
}
"""Functions that draw a piece of glassware at random, by its name in specs."""
