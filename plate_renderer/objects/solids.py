"""Blocks, discs and cylinders: what clutter is put together from."""

from __future__ import annotations

import numpy as np
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from ..geometry.meshes import Mesh, Outline, arc, loft, sheet, terraces
from .materials import Glowing, Opaque, Part
from .plates import Item

SEGMENTS = 16


def cylinder(radius: float, height: float, z: float, material: Opaque) -> Part:
    """An upright cylinder with a rounded upper edge, closed above and below."""
    profile = [(radius, z), (0, z), *arc((1.0, z + height - 1.0), 1.0, 0, 90), (radius, z + height)]
    return Part(loft(Outline.circle(2 * radius, SEGMENTS), profile), material)


def block(figure: BaseGeometry, z0: float, z1: float, material: Opaque) -> Part:
    """A plane figure raised from one height to another."""
    mesh = terraces([z0, z1], [{'block': figure}], ['block'])['block', 'air']
    return Part(mesh, material)


def topped(
    figure: BaseGeometry, z0: float, z1: float, side: Opaque, top: Opaque | Glowing
) -> list[Part]:
    """A plane figure raised between two heights, with another material on its top."""
    mesh = terraces([z0, z1], [{'block': figure}], ['block'])['block', 'air']
    is_top = np.all(mesh.normals[mesh.faces][..., 2] > 0.5, axis=1)
    around = Mesh(mesh.vertices, mesh.faces[~is_top], mesh.normals, mesh.uv)
    return [Part(around, side), Part(sheet(figure, z1), top)]


def slab(width: float, depth: float, height: float, side: Opaque, top: Opaque, label: str) -> Item:
    """A block with one material around it and another on its top."""
    figure = box(-width / 2, -depth / 2, width / 2, depth / 2)
    parts = topped(figure, 0, height, side, top)
    return Item(tuple(parts), figure, height, transparent=False, label=label)


def standing(item: Item, label: str) -> Item:
    """Stand a flat item on its near edge: its top now faces -y.

    Args:
        item: Flat on z = 0 about the origin.
        label: What it is, for people.
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
    """An item that stands on a circle."""
    footprint = Outline.circle(2 * radius).polygon()
    return Item(tuple(parts), footprint, height, transparent=transparent, label=label)
