"""Meshes of plane figures that are extruded and stacked: multiwell plates, blocks, racks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from .mesh import Mesh, edge_normals, merge
from .outlines import without_repeats
from .shapes import sheet

AIR = 'air'
"""Name of the medium where no figure is."""

Slice = Mapping[str, BaseGeometry]
"""Figures of one slice, seen from above, by the medium that fills them."""


def extrude(
    levels: Sequence[float], slices: Sequence[Slice], order: Sequence[str]
) -> dict[tuple[str, str], Mesh]:
    """Extrude and stack plane figures, and return the interfaces between their media.

    Args:
        levels: Heights of the boundaries between slices in millimeters, ascending, one more than
            there are slices.
        slices: Figures of each slice by medium, from below. Figures of a slice may touch but must
            not overlap; what they do not cover is air.
        order: Names of the media. Of two media that meet, normals point from the one that is
            listed first to the other; air is always last.

    Returns:
        One mesh for every pair of media that meet, by (inside, outside). Each interface is
        contained exactly once, so no two meshes coincide.

    Raises:
        ValueError: If there is not one level more than there are slices.

    Example:
        >>> from shapely.geometry import box
        >>> cup = box(0, 0, 4, 4).difference(box(1, 1, 3, 3))
        >>> media = ('glass', 'water')
        >>> slices = [{'glass': box(0, 0, 4, 4)}, {'glass': cup, 'water': box(1, 1, 3, 3)}]
        >>> sorted(extrude([0, 1, 3], slices, media))
        [('glass', 'air'), ('glass', 'water'), ('water', 'air')]
    """
    if len(levels) != len(slices) + 1:
        raise ValueError(
            f'extrude() expects one level more than slices, found {len(levels)} levels and '
            f'{len(slices)} slices'
        )
    media = [*order, AIR]
    everything = shapely.union_all([f for s in slices for f in s.values()]).envelope.buffer(1.0)
    filled = []
    for figures in [{}, *slices, {}]:
        solid = {name: figures[name] for name in order if name in figures}
        air = everything.difference(shapely.union_all(list(solid.values())))
        filled.append({**solid, AIR: air})

    pieces: dict[tuple[str, str], list[Mesh]] = {}
    for z, below, above in zip(levels, filled[:-1], filled[1:], strict=True):
        for low, low_figure in below.items():
            for high, high_figure in above.items():
                if low == high:
                    continue
                face = _area_of(low_figure.intersection(high_figure))
                if face.is_empty:
                    continue
                mesh = sheet(face, z)
                if media.index(low) < media.index(high):
                    pieces.setdefault((low, high), []).append(mesh)
                else:
                    pieces.setdefault((high, low), []).append(mesh.reversed())
    for z0, z1, figures in zip(levels[:-1], levels[1:], filled[1:-1], strict=True):
        for name, figure in figures.items():
            if name == AIR:
                continue
            outside = [m for m in media[media.index(name) + 1 :] if m in figures]
            for other, mesh in _walls(figure, z0, z1, {m: figures[m] for m in outside}).items():
                pieces.setdefault((name, other), []).append(mesh)
    return {pair: merge(parts) for pair, parts in pieces.items()}


def _walls(
    figure: BaseGeometry, z0: float, z1: float, neighbors: Mapping[str, BaseGeometry]
) -> dict[str, Mesh]:
    """Vertical walls around a figure, by the neighboring medium that they touch."""
    starts, stops, firsts, lasts, beyond = [], [], [], [], []
    for polygon in shapely.get_parts(shapely.orient_polygons(figure)):
        for ring in (polygon.exterior, *polygon.interiors):
            points = without_repeats(np.asarray(ring.coords)[:, :2])
            following = np.roll(points, -1, axis=0)
            along = following - points
            along /= np.linalg.norm(along, axis=1, keepdims=True)
            # Oriented rings have the figure to their left, so outside is to the right.
            outwards = np.stack([along[:, 1], -along[:, 0]], axis=1)
            first, last = edge_normals(outwards, closed=True)
            starts.append(points)
            stops.append(following)
            firsts.append(first)
            lasts.append(last)
            beyond.append((points + following) / 2 + 1e-4 * outwards)
    start, stop, first, last = (np.concatenate(x) for x in (starts, stops, firsts, lasts))
    probes = shapely.points(np.concatenate(beyond))
    parts = {}
    for name, neighbor in neighbors.items():
        shapely.prepare(neighbor)
        touching = shapely.contains(neighbor, probes)
        if touching.any():
            parts[name] = _quads(
                start[touching], stop[touching], first[touching], last[touching], z0, z1
            )
    return parts


def _quads(
    start: np.ndarray, stop: np.ndarray, first: np.ndarray, last: np.ndarray, z0: float, z1: float
) -> Mesh:
    """Vertical rectangles on line segments, with the normals at the ends of the segments."""
    count = len(start)
    corners = np.stack([start, stop, stop, start], axis=1).reshape(-1, 2)
    heights = np.tile([z0, z0, z1, z1], count)
    normals = np.stack([first, last, last, first], axis=1).reshape(-1, 2)
    base = 4 * np.arange(count)[:, None]
    faces = np.concatenate([base + [0, 1, 2], base + [0, 2, 3]])
    return Mesh(
        np.column_stack([corners, heights]), faces, np.column_stack([normals, 0.0 * heights])
    )


def _area_of(geometry: BaseGeometry) -> BaseGeometry:
    """Polygons of a geometry, without the lines, points and slivers of set operations."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == 'Polygon' and p.area > 1e-6]
    return MultiPolygon(parts)
