"""Parts that all plates share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from shapely.geometry import Polygon

from ..geometry.meshes import Outline
from .materials import Part

CATEGORIES = ('petri_dish', 'square_dish', 'multiwell_plate')
"""Classes in the order of their COCO category ids, which start at 1."""


@dataclass(frozen=True)
class Bed:
    """A level surface that something grows, lies or is written on.

    Args:
        outline: Its edge, in the plate's coordinates.
        z: Its height in millimeters.
    """

    outline: Outline
    z: float


@dataclass(frozen=True, eq=False)
class Item:
    """Something that is put into a scene as one: a plate or a distractor.

    Args:
        parts: Its meshes about the origin, standing on z = 0.
        footprint: What it covers seen from above.
        height: At which the next thing of a stack stands, in millimeters.
        category: One of `CATEGORIES`, or None for a distractor.
        transparent: Whether it counts as a transparent object in ClearGrasp's sense.
        beds: Named surfaces: `growth` on agar, `floor` under the bottom, `lid` on top.
        label: What it is, for people: `petri 94x16, lid`.
        loose_lid: Whether it is only the lid of a plate: annotated as `iscrowd`.
        faces_camera: Whether its front, at -y, is turned towards the camera.
    """

    parts: tuple[Part, ...]
    footprint: Polygon
    height: float
    category: str | None = None
    transparent: bool = True
    beds: dict[str, Bed] = field(default_factory=dict)
    label: str = ''
    loose_lid: bool = False
    faces_camera: bool = False

    def with_parts(self, parts: list[Part]) -> Item:
        """Return the item with more parts."""
        return replace(self, parts=(*self.parts, *parts))

    def transformed(self, matrix: np.ndarray) -> Item:
        """Return the item with its parts moved by a rigid 4×4 `matrix`; the rest stays as it is."""
        moved = (replace(part, mesh=part.mesh.transformed(matrix)) for part in self.parts)
        return replace(self, parts=tuple(moved))

    def upside_down(self) -> Item:
        """Return the item lying on its top, as dishes are kept in an incubator."""
        top = max(part.mesh.vertices[:, 2].max() for part in self.parts)
        turn = np.diag([1.0, -1.0, -1.0, 1.0])
        turn[2, 3] = top
        return replace(self.transformed(turn), label=f'{self.label}, upside down')
