"""Blocks and cylinders of which distractors are built."""

from __future__ import annotations

import numpy as np
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from ..geometry.extrusion import extrude
from ..geometry.lofting import arc, loft
from ..geometry.mesh import Mesh
from ..geometry.outlines import Outline
from ..geometry.shapes import sheet
from .materials import Glowing, Opaque, Part
from .plates import Item

SEGMENTS = 16
"""Number of line segments of a quarter circle."""


def cylinder(radius: float, height: float, z: float, material: Opaque) -> Part:
    """A closed upright cylinder with a rounded upper edge.

    Args:
        radius: Radius in millimeters.
        height: Height in millimeters.
        z: Height of its bottom in millimeters.
        material: Its material.
    """
    profile = [(radius, z), (0, z), *arc((1.0, z + height - 1.0), 1.0, 0, 90), (radius, z + height)]
    return Part(loft(Outline.circle(2 * radius, SEGMENTS), profile), material)


def block(figure: BaseGeometry, z0: float, z1: float, material: Opaque) -> Part:
    """Extrude a plane figure from height `z0` to `z1`, in millimeters."""
    mesh = extrude([z0, z1], [{'block': figure}], ['block'])['block', 'air']
    return Part(mesh, material)


def topped(
    figure: BaseGeometry, z0: float, z1: float, side: Opaque, top: Opaque | Glowing
) -> list[Part]:
    """Extrude a plane figure, with a material of its own on the top.

    Args:
        figure: Figure, seen from above, in millimeters.
        z0: Height of the bottom in millimeters.
        z1: Height of the top in millimeters.
        side: Material of sides and bottom.
        top: Material of the top.

    Returns:
        Sides with bottom, and top.
    """
    mesh = extrude([z0, z1], [{'block': figure}], ['block'])['block', 'air']
    is_top = np.all(mesh.normals[mesh.faces][..., 2] > 0.5, axis=1)
    around = Mesh(mesh.vertices, mesh.faces[~is_top], mesh.normals, mesh.uv)
    return [Part(around, side), Part(sheet(figure, z1), top)]


def slab(width: float, depth: float, height: float, side: Opaque, top: Opaque, label: str) -> Item:
    """A block, with sizes in millimeters, that has a material of its own on the top."""
    figure = box(-width / 2, -depth / 2, width / 2, depth / 2)
    parts = topped(figure, 0, height, side, top)
    return Item(tuple(parts), figure, height, transparent=False, label=label)


def standing(item: Item, label: str) -> Item:
    """Return a flat item stood on its edge, so that its top faces -y, towards the camera.

    Args:
        item: Item that lies on z = 0, centered at the origin.
        label: Description in annotations.
    """
    turn = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    turn[2, 3] = -min(part.mesh.vertices[:, 1].min() for part in item.parts)
    turned = item.transformed(turn)
    points = np.concatenate([part.mesh.vertices for part in turned.parts])
    low, high = points.min(axis=0), points.max(axis=0)
    return Item(turned.parts, box(low[0], low[1], high[0], high[1]), float(high[2]),
                transparent=False, label=label, faces_camera=True)  # fmt: skip


def round_item(
    parts: list[Part], radius: float, height: float, label: str, transparent: bool = True
) -> Item:
    """An item with a circular footprint.

    Args:
        parts: Meshes with their materials, centered at the origin on z = 0.
        radius: Radius of the footprint in millimeters.
        height: Height in millimeters.
        label: Description in annotations.
        transparent: Whether the ground truth counts it as transparent.
    """
    footprint = Outline.circle(2 * radius).polygon()
    return Item(tuple(parts), footprint, height, transparent=transparent, label=label)
