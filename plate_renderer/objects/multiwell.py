"""Multiwell plates with 6 to 384 wells: skirt, notched corners, liquids and lid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from ..geometry.extrusion import Slice, extrude
from ..geometry.mesh import Mesh
from ..geometry.outlines import Outline
from ..geometry.shapes import sheet
from .markings import strokes
from .materials import IOR, Coating, Color, Interface, Material, Opaque, Part, absorbed, interface
from .plates import Item, Surface

LENGTH, DEPTH = 127.76, 85.48
"""Footprint in millimeters, from ANSI/SLAS 1-2004."""

# Dimensions in millimeters.
FLANGE_HEIGHT = 2.41
FLANGE_WIDTH = 1.7
SKIRT_WALL = 1.2
#: Thickness of the deck between the wells, and of the wells' walls and floors.
DECK = 1.2
CUP_WALL = 0.85
FLOOR = 1.27
#: Side of the notched corners.
NOTCH = 5.0
#: Height of the wells' rims above the deck.
RIM = 1.0
#: Air gap between plates that rest on each other, more than Mitsuba's tolerance.
CONTACT_GAP = 0.1
#: Height of the lid above the plate, of its skirt, and its thickness.
LID_TOP, LID_SKIRT, LID_THICKNESS = 1.9, 6.0, 1.2
#: Medium of plate and lid, a name in `materials.IOR`.
PLASTIC = 'polystyrene'


@dataclass(frozen=True)
class WellLayout:
    """Positions and shape of the wells of a plate.

    Args:
        rows: Number of rows, along the plate's depth.
        columns: Number of columns, along the plate's length.
        pitch: Distance between the centers of neighboring wells in millimeters.
        width: Diameter of a round well or side of a square one in millimeters.
        well_depth: Depth from the rim to the floor of a well in millimeters.
        height: Height of the plate without lid in millimeters.
        square: Whether wells are square.
    """

    rows: int
    columns: int
    pitch: float
    width: float
    well_depth: float
    height: float
    square: bool = False

    @property
    def count(self) -> int:
        """Number of wells."""
        return self.rows * self.columns

    def centers(self) -> np.ndarray:
        """Centers of the wells in millimeters, row by row from A1, float64 of shape (n, 2)."""
        x = (np.arange(self.columns) - (self.columns - 1) / 2) * self.pitch
        y = ((self.rows - 1) / 2 - np.arange(self.rows)) * self.pitch
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)

    def well(self, center: np.ndarray, margin: float = 0.0) -> Polygon:
        """Return the outline of a well.

        Args:
            center: Center of the well in millimeters, float64 of shape (2,).
            margin: Distance by which the outline is enlarged in millimeters.
        """
        width = self.width + 2 * margin
        radius = 0.12 * width if self.square else width / 2
        # Small wells are a few pixels wide: fewer segments keep the mesh of 384 wells small.
        segments = 2 if self.square else int(np.clip(width, 6, 16))
        return Polygon(Outline(width, width, radius, segments).ring(0.0) + center)


LAYOUTS = {
    6: WellLayout(2, 3, 39.12, 34.80, 17.40, 20.27),
    12: WellLayout(3, 4, 26.01, 22.11, 17.53, 20.27),
    24: WellLayout(4, 6, 19.30, 15.62, 17.40, 20.27),
    48: WellLayout(6, 8, 13.08, 11.05, 17.40, 20.27),
    96: WellLayout(8, 12, 9.00, 6.86, 10.67, 14.22),
    384: WellLayout(16, 24, 4.50, 3.63, 11.43, 14.22, square=True),
}
"""Layouts by number of wells. Pitch and position of 96 and 384 wells from ANSI/SLAS 4-2004 (A1 at
14.38 / 11.24 mm and 12.13 / 8.99 mm); nominal well sizes, depths and heights from Corning's
drawings (Costar 3516, 3513, 3524, 3548, 3599, 3680)."""


@dataclass(frozen=True)
class Filling:
    """A liquid in some of the wells.

    Args:
        wells: Indices of the wells, in the order of `WellLayout.centers`.
        depth: Depth of the liquid in millimeters.
        absorption: Absorption coefficients in 1/mm, linear RGB.
        ior: Refractive index; culture media differ from water by less than 0.005.
    """

    wells: Sequence[int]
    depth: float
    absorption: Color
    ior: float = IOR['water']


def multiwell_plate(
    layout: WellLayout,
    fillings: Sequence[Filling] = (),
    lid: bool = False,
    plastic: Color = (0.99, 0.99, 0.99),
    opaque: Opaque | None = None,
) -> Item:
    """Build a multiwell plate.

    Args:
        layout: Layout of the wells.
        fillings: Liquids; each well may occur in one of them only.
        lid: Whether the lid is on.
        plastic: Transmittance of one polystyrene surface in [0, 1], linear RGB.
        opaque: Opaque plastic to use instead of polystyrene; None for a transparent plate.

    Returns:
        The plate, centered at the origin on z = 0 with its length along x and A1 at the smallest x
        and largest y, with the surfaces `deck` and, with a lid, `lid`.

    Raises:
        ValueError: If a liquid overflows.

    Example:
        >>> plate = multiwell_plate(LAYOUTS[96])
        >>> size = np.ptp(np.concatenate([p.mesh.vertices for p in plate.parts]), axis=0)
        >>> [round(float(length), 2) for length in size]
        [127.76, 85.48, 14.22]
    """
    deck = layout.height - RIM
    floor = layout.height - layout.well_depth
    for filling in fillings:
        if floor + filling.depth > deck:
            raise ValueError(
                f'a liquid {filling.depth} mm deep overflows wells that are '
                f'{deck - floor:.2f} mm deep to the deck: expected a smaller depth'
            )
    centers = layout.centers()
    wells = MultiPolygon([layout.well(center) for center in centers])
    cups = shapely.union_all([layout.well(center, CUP_WALL) for center in centers])
    rims = shapely.union_all([layout.well(center, 0.35) for center in centers])
    flange, body = _rectangle(0.0), _body()
    hollow = body.buffer(-SKIRT_WALL)
    cups = cups.intersection(body.buffer(-SKIRT_WALL / 2))

    def plastic_at(z: float) -> BaseGeometry:
        """Figure of the plastic in the slice that starts at a level."""
        shell = (flange if z < FLANGE_HEIGHT else body).difference(hollow)
        if z < floor - FLOOR:
            return shell
        if z < floor:
            return shell.union(cups)
        if z < deck - DECK:
            return shell.union(cups).difference(wells)
        if z < deck:
            return body.difference(wells)
        return rims.difference(wells).union(shell)

    media = [f'liquid{k}' for k in range(len(fillings))]
    tops = [floor + filling.depth for filling in fillings]
    levels = sorted(
        {0.0, FLANGE_HEIGHT, floor - FLOOR, floor, deck - DECK, deck, layout.height, *tops}
    )
    slices = []
    for z in levels[:-1]:
        figures: dict[str, BaseGeometry] = {PLASTIC: plastic_at(z)}
        for name, filling, top in zip(media, fillings, tops, strict=True):
            if floor <= z < top:
                figures[name] = MultiPolygon([wells.geoms[k] for k in filling.wells])
        slices.append(figures)

    parts = []
    iors = dict(zip(media, (filling.ior for filling in fillings), strict=True))
    tints = {
        name: absorbed(filling.absorption, filling.depth)
        for name, filling in zip(media, fillings, strict=True)
    }
    for (inside, outside), mesh in extrude(levels, slices, [PLASTIC, *media]).items():
        index = iors.get(inside, IOR[PLASTIC])
        beyond = iors.get(outside, 1.0)
        material: Material = Interface(index, beyond, tints.get(inside, plastic))
        if opaque and inside == PLASTIC:
            material = opaque
        parts.append(Part(mesh, material, pane=inside != PLASTIC))
    surfaces = {'deck': Surface(Outline(LENGTH - 8, DEPTH - 6, 2.0), deck)}
    height = layout.height
    if lid:
        parts.append(_lid(layout.height, plastic))
        height += LID_TOP
        surfaces['lid'] = Surface(Outline(LENGTH - 12, DEPTH - 12, 2.0), layout.height + LID_TOP)
    return Item(
        parts=tuple(parts),
        footprint=flange,
        height=height + CONTACT_GAP,
        category='multiwell_plate',
        transparent=opaque is None,
        surfaces=surfaces,
        label=f'{layout.count} wells{", lid" if lid else ""}',
    )


def _lid(height: float, plastic: Color) -> Part:
    """The lid: a flat top with a skirt around the body."""
    ceiling = height + LID_TOP - LID_THICKNESS
    outer = _rectangle(0.2)
    ring = outer.difference(_rectangle(0.2 + 0.9))
    around = _rectangle(FLANGE_WIDTH + 1.5)
    spacer = around.difference(_rectangle(FLANGE_WIDTH + 2.5)).intersection(
        MultiPolygon([box(sx * 62 - 8, -50, sx * 62 + 8, 50) for sx in (-1, 1)])
    )
    levels = [ceiling - LID_SKIRT, height + CONTACT_GAP, ceiling, height + LID_TOP]
    slices: list[Slice] = [{'lid': ring}, {'lid': ring.union(spacer)}, {'lid': outer}]
    mesh = extrude(levels, slices, ['lid'])['lid', 'air']
    return Part(mesh, interface(PLASTIC, transmittance=plastic), pane=True)


def well_stains(layout: WellLayout, wells: Sequence[int], z_offset: float = 0.15) -> list[Mesh]:
    """Horizontal meshes in some wells, such as stained cells and precipitates.

    Args:
        layout: Layout of the wells.
        wells: Indices of the wells, in the order of `WellLayout.centers`.
        z_offset: Height above the floor of the wells in millimeters.

    Returns:
        One mesh per well.
    """
    z = layout.height - layout.well_depth + z_offset
    return [sheet(layout.well(layout.centers()[k], -0.4), z) for k in wells]


def well_names(layout: WellLayout) -> list[Part]:
    """Printed letters of the rows and numbers of the columns, on the deck.

    Args:
        layout: Layout of the wells.
    """
    scale = 8.0
    ink = np.zeros((int(DEPTH * scale), int(LENGTH * scale)), np.uint8)
    x, y = layout.centers()[0]
    size = float(np.clip(0.3 * layout.pitch, 1.2, 3.0))

    def write(text: str, at_x: float, at_y: float) -> None:
        height = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][1]
        left, base = (at_x + LENGTH / 2 - size / 2) * scale, (DEPTH / 2 - at_y + size / 2) * scale
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(ink, text, (int(left), int(base)), font, size * scale / height, 255, 2)

    margin = layout.width / 2 + size
    for row in range(layout.rows):
        write(chr(ord('A') + row), x - margin, y - row * layout.pitch)
    for column in range(layout.columns):
        write(str(column + 1), x + column * layout.pitch, y + margin - 0.2)
    figure = strokes(ink / 255.0, (-LENGTH / 2, -DEPTH / 2), LENGTH, DEPTH)
    color = (0.02, 0.02, 0.02)
    return [Part(sheet(figure, layout.height - RIM + 0.12), Coating(color, 0.9))]


def _rectangle(inset: float) -> Polygon:
    """The footprint with rounded corners, moved inwards by `inset` millimeters."""
    return Outline(LENGTH - 2 * inset, DEPTH - 2 * inset, 3.2, segments=6).polygon()


def _body() -> BaseGeometry:
    """Outline above the flange, with two notched corners at the side of A1."""
    body = _rectangle(FLANGE_WIDTH)
    x, y = -LENGTH / 2 + FLANGE_WIDTH, DEPTH / 2 - FLANGE_WIDTH
    notches = [
        Polygon([(x, s * y), (x + NOTCH, s * y), (x, s * (y - NOTCH))]).buffer(1e-3)
        for s in (1, -1)
    ]
    return body.difference(shapely.union_all(notches))
