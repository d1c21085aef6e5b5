"""Petri dishes and square dishes of polystyrene, with lid and agar.

Both are made by sweeping a profile around a circle or a rounded square. Where polystyrene touches
agar there is one interface with both refractive indices, so that no two meshes coincide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from shapely.geometry import box

from ..geometry.lofting import arc, loft
from ..geometry.mesh import Mesh, merge
from ..geometry.outlines import Outline
from ..geometry.shapes import grooved_sheet, sheet
from .materials import Color, Part, absorbed, interface
from .plates import Item, Surface

LID_WALL = 1.0
"""Thickness of the lid in millimeters."""
LID_GAP = 0.7
"""Distance between the lid's skirt and the dish's wall in millimeters."""
LID_RIDGE = 0.35
"""Height of the ring on the lid that keeps stacked dishes in place, in millimeters."""
CONTACT_GAP = 0.1
"""Air gap in millimeters between objects that rest on each other: rays would miss surfaces that are
closer than Mitsuba's tolerance."""
FOOT_HEIGHT = 0.5
"""Height of the rim under the dish, inside which the bottom is recessed, in millimeters."""
FOOT_WIDTH = 1.6
"""Width of this rim in millimeters."""


@dataclass(frozen=True)
class DishSize:
    """Outer dimensions of a dish with its lid on, as in manufacturers' catalogs.

    Args:
        width: Diameter or side in millimeters.
        height: Height with the lid in millimeters.
        wall: Thickness of wall and bottom in millimeters.
        radius: Corner radius in millimeters; None for a round dish.
        grid: Pitch of the molded counting grid in millimeters; None without a grid.
    """

    width: float
    height: float
    wall: float = 1.2
    radius: float | None = None
    grid: float | None = None

    def outline(self, inset: float = 0.0) -> Outline:
        """Return the outline of the lid, moved inwards by `inset` millimeters."""
        width = self.width - 2 * inset
        radius = width / 2 if self.radius is None else max(self.radius - inset, 0.5)
        return Outline(width, width, radius)

    @property
    def dish_inset(self) -> float:
        """Distance from the lid's outer wall to the dish's outer wall in millimeters."""
        return LID_WALL + LID_GAP

    @property
    def dish_height(self) -> float:
        """Height of the dish without lid in millimeters."""
        return self.lid_top - LID_WALL - CONTACT_GAP

    @property
    def lid_top(self) -> float:
        """Height of the lid's flat top, below its ridge, in millimeters."""
        return self.height - LID_RIDGE


PETRI_SIZES = {
    35: DishSize(35.0, 10.0, 1.0),
    60: DishSize(60.0, 15.0, 1.0),
    90: DishSize(94.0, 16.0, 1.2),
    100: DishSize(100.0, 15.0, 1.2),
    150: DishSize(150.0, 20.0, 1.4),
}
"""Round dishes by nominal diameter in millimeters. 35 × 10, 60 × 15, 100 × 15 and 150 mm as in
Corning's Falcon catalog (351008, 351007, 351029, 351058; heights of the last vary from 15 to 20 mm
by manufacturer), 94 × 16 as Greiner 633180, usually called a 90 mm dish. ISO 24998 specifies the
kinds of single-use dishes, not their exact sizes."""

SQUARE_SIZES = {
    100: DishSize(100.0, 15.0, 1.3, radius=10.0, grid=13.0),
    120: DishSize(120.0, 17.0, 1.3, radius=14.0),
    245: DishSize(245.0, 25.0, 2.0, radius=12.0),
}
"""Square dishes by nominal side in millimeters. 100 × 100 × 15 with a 13 mm molded grid as Corning
Falcon 351112, 120 × 120 × 17 as Greiner 688161, 245 × 245 × 25 as Corning's bioassay dish 431111.
Corner radii are measured on photographs: manufacturers do not publish them."""


@dataclass(frozen=True)
class Agar:
    """Agar in a dish.

    Args:
        depth: Depth in millimeters; usually 3 to 5 (about 20 to 25 mL in a 90 mm dish).
        absorption: Absorption coefficients in 1/mm, linear RGB.
        meniscus: Rise of the surface at the wall in millimeters.
    """

    depth: float
    absorption: Color
    meniscus: float = 1.0


def dish(
    size: DishSize, category: str, agar: Agar | None, lid: bool, plastic: Color = (0.99, 0.99, 0.99)
) -> Item:
    """Build a dish.

    Args:
        size: Dimensions.
        category: Class: `petri_dish` or `square_dish`.
        agar: Agar in the dish; None for an empty dish.
        lid: Whether the lid is on.
        plastic: Transmittance of one polystyrene surface in [0, 1], linear RGB.

    Returns:
        The dish, centered at the origin on z = 0, with the surfaces `growth` (on the agar or the
        empty bottom), `floor` (under the bottom) and, with a lid, `lid`.

    Raises:
        ValueError: If the agar reaches the rim.

    Example:
        >>> plate = dish(PETRI_SIZES[90], 'petri_dish', Agar(4.0, (0.01, 0.02, 0.05)), lid=True)
        >>> size = np.ptp(np.concatenate([p.mesh.vertices for p in plate.parts]), axis=0)
        >>> [round(float(length), 1) for length in size]
        [94.0, 94.0, 16.0]
    """
    outline = size.outline(size.dish_inset)
    wall, height = size.wall, size.dish_height
    floor = FOOT_HEIGHT + wall
    level = floor + (agar.depth if agar else 0.0)
    if agar and level + 2.0 > height:
        raise ValueError(
            f'agar of {agar.depth} mm does not fit a dish that is {height:.1f} mm high: '
            f'make it at most {height - floor - 2.0:.1f} mm'
        )
    axis = outline.width / 2
    edge = 0.4 * wall
    wet = level + (agar.meniscus if agar else 0.0)
    corner = 0.8

    outside = [
        (FOOT_WIDTH, FOOT_HEIGHT),
        (FOOT_WIDTH, 0.0),
        *arc((0.8, 0.8), 0.8, -90, 0),
        *arc((edge, height - edge), edge, 0, 90),
        *arc((wall - edge, height - edge), edge, 90, 180),
    ]
    inside = [*arc((wall + corner, floor + corner), corner, 0, -90), (axis, floor)]
    plastic_air = [_underside(outline, size.grid)]
    parts = []
    if agar:
        top = _meniscus(wall, wet, level, axis)
        plastic_air.append(loft(outline, [*outside, (wall, wet)]))
        parts.append(
            Part(loft(outline, [(wall, wet), *inside]), interface('polystyrene', 'agar', plastic))
        )
        tint = absorbed(agar.absorption, agar.depth)
        parts.append(Part(loft(outline, top), interface('agar', transmittance=tint), pane=True))
    else:
        plastic_air.append(loft(outline, [*outside, *inside]))
    parts.append(Part(merge(plastic_air), interface('polystyrene', transmittance=plastic)))

    inner = size.outline(size.dish_inset + wall)
    surfaces = {'growth': Surface(inner, level), 'floor': Surface(size.outline(5.0), FOOT_HEIGHT)}
    if lid:
        parts.append(Part(_lid(size), interface('polystyrene', transmittance=plastic), pane=True))
        surfaces['lid'] = Surface(size.outline(6.0), size.lid_top)
    kind = 'petri' if size.radius is None else 'square'
    return Item(
        parts=tuple(parts),
        footprint=size.outline(0.0 if lid else size.dish_inset).polygon(),
        height=(size.lid_top if lid else height) + CONTACT_GAP,
        category=category,
        surfaces=surfaces,
        label=f'{kind} {size.width:.0f}x{size.height:.0f}{", lid" if lid else ""}',
    )


def loose_lid(size: DishSize, category: str, plastic: Color, upside_down: bool) -> Item:
    """Build a lid without its dish.

    Args:
        size: Dimensions of the dish.
        category: Class of the dish.
        plastic: Transmittance of one polystyrene surface in [0, 1], linear RGB.
        upside_down: Whether the lid lies on its top.

    Returns:
        The lid, centered at the origin on z = 0, with the surface `lid`.

    Example:
        >>> lid = loose_lid(PETRI_SIZES[60], 'petri_dish', (0.99, 0.99, 0.99), upside_down=False)
        >>> lid.loose_lid, lid.label
        (True, 'loose lid')
    """
    mesh = _lid(size)
    bottom = float(mesh.vertices[:, 2].min())
    drop = np.eye(4)
    drop[2, 3] = -bottom
    item = Item(
        parts=(Part(mesh.transformed(drop), interface('polystyrene', transmittance=plastic)),),
        footprint=size.outline().polygon(),
        height=size.height - bottom,
        category=category,
        loose_lid=True,
        surfaces={'lid': Surface(size.outline(6.0), size.lid_top - bottom)},
        label='loose lid',
    )
    return item.upside_down() if upside_down else item


def _underside(outline: Outline, grid: float | None) -> Mesh:
    """The recessed bottom, facing down, with the counting grid if the dish has one."""
    figure = outline.polygon(FOOT_WIDTH)
    if grid is None:
        return sheet(figure, FOOT_HEIGHT).reversed()
    half = outline.width / 2 - outline.radius
    frame = sheet(figure.difference(box(-half, -half, half, half)), FOOT_HEIGHT)
    ridges = grooved_sheet(half, half, FOOT_HEIGHT, grid, width=0.8, height=-0.25)
    return merge([frame, ridges]).reversed()


def _meniscus(wall: float, wet: float, level: float, axis: float) -> list[tuple[float, float]]:
    """Profile of the agar's surface from the wall to the axis."""
    away = np.array([0.0, 0.3, 0.7, 1.2, 1.8, 2.6, 3.6, 5.0])
    rise = (wet - level) * np.exp(-away / 1.1)
    rise = np.where(away == 5.0, 0.0, rise)
    curve = [(wall + float(a), level + float(r)) for a, r in zip(away, rise, strict=True)]
    return [*curve, (axis, level)]


def _lid(size: DishSize) -> Mesh:
    """The lid on its dish, with the raised ring that keeps stacked dishes in place."""
    outline = size.outline()
    axis = size.width / 2
    top = size.lid_top
    ceiling = top - LID_WALL
    skirt = 0.35 * size.dish_height
    half = LID_WALL / 2
    return loft(
        outline,
        [
            (axis, ceiling),
            *arc((LID_WALL + 0.6, ceiling - 0.6), 0.6, 90, 0),
            *arc((half, skirt + half), half, 180, 360, steps=6),
            *arc((0.8, top - 0.8), 0.8, 0, 90),
            # The ring fits inside the foot of the dish above and is lower than its recess.
            *arc((4.2, top), LID_RIDGE, 0, 180, steps=6),
            (axis, top),
        ],
    )
