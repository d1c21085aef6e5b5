"""Objects of a scene, and the classes of plates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from shapely.geometry import Polygon

from ..geometry.outlines import Outline
from .materials import Part

CATEGORIES = ('petri_dish', 'square_dish', 'multiwell_plate')
"""Classes of plates, in the order of their COCO category ids, which start at 1."""


@dataclass(frozen=True)
class Surface:
    """A horizontal surface of a plate that growth or markings are put on.

    Args:
        outline: Outline of the surface, in the plate's coordinates.
        z: Height in millimeters.
    """

    outline: Outline
    z: float


@dataclass(frozen=True, eq=False)
class Item:
    """An object of a scene: a plate or a distractor.

    Args:
        parts: Meshes with their materials, centered at the origin on z = 0.
        footprint: Area that the object covers, seen from above, in millimeters.
        height: Height in millimeters at which an object on top of it stands.
        category: One of `CATEGORIES`; None for a distractor.
        transparent: Whether the ground truth counts it as transparent.
        surfaces: Surfaces for growth and markings by name: `growth` (on the agar), `floor` (under
            the bottom), `lid` (on the lid), `deck` (between wells).
        label: Description in annotations, such as `petri 94x16, lid`.
        loose_lid: Whether it is a lid without its dish, which is annotated as `iscrowd`.
        faces_camera: Whether its front, at -y, is turned towards the camera.

    Example:
        >>> from plate_renderer.objects.dishes import PETRI_SIZES, dish
        >>> plate = dish(PETRI_SIZES[90], 'petri_dish', agar=None, lid=True)
        >>> plate.label, sorted(plate.surfaces)
        ('petri 94x16, lid', ['floor', 'growth', 'lid'])
    """

    parts: tuple[Part, ...]
    footprint: Polygon
    height: float
    category: str | None = None
    transparent: bool = True
    surfaces: dict[str, Surface] = field(default_factory=dict)
    label: str = ''
    loose_lid: bool = False
    faces_camera: bool = False

    def with_parts(self, parts: list[Part]) -> Item:
        """Return the item with parts added."""
        return replace(self, parts=(*self.parts, *parts))

    def transformed(self, matrix: np.ndarray) -> Item:
        """Return the item with its parts moved; footprint, height and surfaces are not changed.

        Args:
            matrix: Rigid transformation, float64 of shape (4, 4).
        """
        moved = (replace(part, mesh=part.mesh.transformed(matrix)) for part in self.parts)
        return replace(self, parts=tuple(moved))

    def upside_down(self) -> Item:
        """Return the item turned upside down, standing on z = 0."""
        top = max(part.mesh.vertices[:, 2].max() for part in self.parts)
        turn = np.diag([1.0, -1.0, -1.0, 1.0])
        turn[2, 3] = top
        return replace(self.transformed(turn), label=f'{self.label}, upside down')
