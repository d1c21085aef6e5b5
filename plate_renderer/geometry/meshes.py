"""Triangle meshes of molded things, from two constructions that cover them all.

`loft` sweeps a profile around an outline: every round or rounded-square thing (dishes, lids,
beakers, bottles). `terraces` stacks horizontal slices of plane figures: everything made of
vertical walls and level faces (multiwell plates with hundreds of wells, and what is in them).

Lengths are millimeters, z points up, and a mesh's normals point out of the medium that it bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

CREASE_DEGREES = 40.0
"""Neighboring faces that turn by less than this are shaded as one smooth surface."""

AIR = 'air'


@dataclass(frozen=True)
class Mesh:
    """Triangles with a shading normal and a texture coordinate at every vertex.

    Args:
        vertices: Positions, float64 of shape (n, 3), in millimeters.
        faces: Vertex indices, int64 of shape (m, 3), anticlockwise seen from outside.
        normals: Unit normals, float64 of shape (n, 3).
        uv: Texture coordinates in [0, 1], float64 of shape (n, 2); zeros where none are given.

    Example:
        >>> square = sheet(Polygon([(0, 0), (2, 0), (2, 2), (0, 2)]), z=1.0)
        >>> square.faces.shape, float(square.vertices[:, 2].max())
        ((2, 3), 1.0)
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uv: np.ndarray = field(default=None)  # type: ignore[arg-type]  # replaced below

    def __post_init__(self) -> None:
        """Fill in texture coordinates where there are none."""
        if self.uv is None:
            object.__setattr__(self, 'uv', np.zeros((len(self.vertices), 2)))

    @property
    def extent(self) -> np.ndarray:
        """Size along x, y and z in millimeters, float64 of shape (3,)."""
        return np.ptp(self.vertices, axis=0)

    def transformed(self, matrix: np.ndarray) -> Mesh:
        """Return the mesh moved by a rigid 4×4 `matrix` (a proper rotation and a translation)."""
        rotation = matrix[:3, :3]
        return Mesh(
            self.vertices @ rotation.T + matrix[:3, 3],
            self.faces,
            self.normals @ rotation.T,
            self.uv,
        )

    def reversed(self) -> Mesh:
        """Return the mesh with inside and outside exchanged."""
        return Mesh(self.vertices, self.faces[:, ::-1], -self.normals, self.uv)


def merge(meshes: Iterable[Mesh]) -> Mesh:
    """Join meshes into one, without welding their vertices.

    Raises:
        ValueError: If there is nothing to merge.
    """
    parts = list(meshes)
    if not parts:
        raise ValueError('merge() was given no mesh: give it at least one')
    starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.uv for part in parts]),
    )


@dataclass(frozen=True)
class Outline:
    """A rectangle with rounded corners about the origin; a circle where the radius is half both.

    Args:
        width: Extent along x in millimeters.
        depth: Extent along y in millimeters.
        radius: Corner radius in millimeters, at most half of the smaller extent.
        segments: Straight pieces that a quarter turn is made of.

    Raises:
        ValueError: If the radius does not fit.

    Example:
        >>> dish = Outline.circle(90)
        >>> round(dish.polygon().area / 1000, 2)
        6.36
    """

    width: float
    depth: float
    radius: float
    segments: int = 24

    def __post_init__(self) -> None:
        """Check that the corners fit."""
        if not 0 < self.radius <= min(self.width, self.depth) / 2 + 1e-9:
            raise ValueError(
                f'a corner radius of {self.radius} mm does not fit an outline of '
                f'{self.width} x {self.depth} mm: it must be above 0 and at most half of either'
            )

    @classmethod
    def circle(cls, diameter: float, segments: int = 24) -> Outline:
        """Return the circle of a `diameter` in millimeters."""
        return cls(diameter, diameter, diameter / 2, segments)

    def directions(self) -> np.ndarray:
        """Unit normals along the outline, anticlockwise, float64 of shape (4 * (segments+1), 2)."""
        quarter = np.linspace(0, np.pi / 2, self.segments + 1)
        angles = np.concatenate([quarter + k * np.pi / 2 for k in range(4)])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def ring(self, inset: float) -> np.ndarray:
        """Points of the outline moved inwards by `inset` mm, float64 of shape (n, 2).

        A corner that the inset has used up becomes a point.
        """
        half = np.maximum(np.array([self.width, self.depth]) / 2 - inset, 0.0)
        radius = min(max(self.radius - inset, 0.0), half.min())
        signs = np.repeat([[1, 1], [-1, 1], [-1, -1], [1, -1]], self.segments + 1, axis=0)
        return signs * (half - radius) + radius * self.directions()

    def polygon(self, inset: float = 0.0) -> Polygon:
        """Return the outline, moved inwards by `inset` mm, as a shapely polygon."""
        polygon = Polygon(_without_repeats(self.ring(inset)))
        return cast(Polygon, shapely.make_valid(polygon))


def arc(
    center: tuple[float, float], radius: float, start: float, stop: float, steps: int = 4
) -> list[tuple[float, float]]:
    """Points of a circular arc in a profile, for rounded edges.

    Args:
        center: (inset, z) of the arc's center in millimeters.
        radius: In millimeters.
        start: First angle in degrees: 0 points outwards (to a smaller inset), 90 points up.
        stop: Last angle in degrees.
        steps: Straight pieces.

    Returns:
        `steps + 1` points (inset, z).

    Example:
        >>> [(round(d, 3), round(z, 3)) for d, z in arc((1, 0), 1, 0, 90, steps=1)]
        [(0.0, 0.0), (1.0, 1.0)]
    """
    angles = np.radians(np.linspace(start, stop, steps + 1))
    inset = center[0] - radius * np.cos(angles)
    height = center[1] + radius * np.sin(angles)
    return list(zip(inset.tolist(), height.tolist(), strict=True))


def loft(outline: Outline, profile: Sequence[tuple[float, float]]) -> Mesh:
    """Sweep a profile around an outline.

    Args:
        outline: Closed curve seen from above.
        profile: Points (inset from the outline, z) in millimeters. The solid lies to the left of
            the direction of travel seen with "outwards" to the right and z up: up the outside,
            inwards over the rim, down the inside. Use an inset of half the outline's smaller
            extent to reach the axis.

    Returns:
        The swept surface, with smooth normals wherever the profile turns by less than
        `CREASE_DEGREES`.

    Raises:
        ValueError: If the profile has fewer than two points.

    Example:
        >>> wall = loft(Outline.circle(10), [(0, 0), (0, 5)])
        >>> [round(float(size), 2) for size in wall.extent]
        [10.0, 10.0, 5.0]
    """
    points = np.asarray(profile, dtype=float)
    if len(points) < 2:
        raise ValueError(f'a profile needs at least 2 points, found {len(points)}')
    keep = np.r_[True, np.abs(np.diff(points, axis=0)).max(axis=1) > 1e-9]
    points = points[keep]
    step = np.diff(points, axis=0)
    # Travelling (d_inset, d_z) with outwards = -inset, the right-hand normal points outside.
    across = np.stack([step[:, 1], step[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    first, last = _smoothed_ends(across, closed=False)

    directions = outline.directions()
    strips = []
    for k in range(len(step)):
        rings, normals = [], []
        for (inset, z), (out, up) in ((points[k], first[k]), (points[k + 1], last[k])):
            flat = outline.ring(inset)
            rings.append(np.column_stack([flat, np.full(len(flat), z)]))
            normals.append(np.column_stack([directions * out, np.full(len(flat), up)]))
        strips.append(_strip(rings[0], rings[1], normals[0], normals[1]))
    return merge(strips)


def sheet(
    figure: BaseGeometry, z: float, uv_bounds: tuple[float, float, float, float] | None = None
) -> Mesh:
    """Fill a plane figure at a height with triangles that face up.

    Args:
        figure: Polygon or multipolygon, holes allowed.
        z: Height in millimeters.
        uv_bounds: (x0, y0, x1, y1) that the texture's unit square covers; the figure's own bounds
            where None.

    Returns:
        The level mesh, with the texture's left lower corner at (x0, y0).

    Raises:
        ValueError: If the figure has no area.
    """
    triangles = _triangles(figure)
    if not len(triangles):
        raise ValueError(f'a sheet needs a figure with an area, found {figure.geom_type}')
    corners, faces = np.unique(triangles.reshape(-1, 2), axis=0, return_inverse=True)
    x0, y0, x1, y1 = figure.bounds if uv_bounds is None else uv_bounds
    uv = (corners - [x0, y0]) / [x1 - x0, y1 - y0]
    vertices = np.column_stack([corners, np.full(len(corners), z)])
    normals = np.tile([0.0, 0.0, 1.0], (len(corners), 1))
    return Mesh(vertices, faces.reshape(-1, 3).astype(np.int64), normals, uv)


def grooved_sheet(
    half_width: float, half_depth: float, z: float, pitch: float, width: float, height: float
) -> Mesh:
    """A level rectangle crossed by V-shaped ridges both ways, as molded counting grids are.

    Args:
        half_width: Half of the extent along x in millimeters.
        half_depth: Half of the extent along y in millimeters.
        z: Height of the level part.
        pitch: Distance between ridges.
        width: Width of a ridge at its foot.
        height: Height of a ridge above the level; below it where negative.

    Returns:
        The mesh, facing up, closed against a level figure with the same rectangular hole.
    """

    def ticks(half: float) -> tuple[np.ndarray, np.ndarray]:
        count = int((half - width) // pitch)
        ridges = pitch * np.arange(-count, count + 1)
        at = np.concatenate([[-half, half], ridges, ridges - width / 2, ridges + width / 2])
        bump = np.concatenate([[0, 0], np.ones(len(ridges)), np.zeros(2 * len(ridges))])
        order = np.argsort(at)
        return at[order], bump[order]

    x, x_bump = ticks(half_width)
    y, y_bump = ticks(half_depth)
    # The outermost row stays level, so that the border fits the surrounding figure.
    inner_x = np.r_[0, np.ones(len(x) - 2), 0]
    inner_y = np.r_[0, np.ones(len(y) - 2), 0]
    bump = np.maximum(x_bump[None, :], y_bump[:, None]) * inner_x[None, :] * inner_y[:, None]
    grid_x, grid_y = np.meshgrid(x, y)
    points = np.stack([grid_x, grid_y, z + height * bump], axis=-1)
    low_left, low_right = points[:-1, :-1], points[:-1, 1:]
    top_left, top_right = points[1:, :-1], points[1:, 1:]
    triangles = np.concatenate(
        [
            np.stack([low_left, low_right, top_right], axis=2).reshape(-1, 3, 3),
            np.stack([low_left, top_right, top_left], axis=2).reshape(-1, 3, 3),
        ]
    )
    return faceted(triangles)


def faceted(triangles: np.ndarray) -> Mesh:
    """Flat-shaded mesh of triangles, float64 of shape (m, 3, 3), anticlockwise from outside."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    size = np.linalg.norm(normals, axis=1)
    triangles, normals = triangles[size > 0], normals[size > 0] / size[size > 0, None]
    count = len(triangles)
    return Mesh(
        triangles.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3), np.repeat(normals, 3, axis=0)
    )


def domes(centers: np.ndarray, radii: np.ndarray, heights: np.ndarray, turns: int = 14) -> Mesh:
    """Closed smooth caps on a level surface: colonies, drops and leaves.

    Args:
        centers: Foot points, float64 of shape (n, 3).
        radii: Half axes along x and y, float64 of shape (n, 2).
        heights: Above the foot, float64 of shape (n,).
        turns: Pieces around a cap.

    Returns:
        All caps in one mesh.
    """
    around = np.linspace(0, 2 * np.pi, turns, endpoint=False)
    levels = np.radians([0, 25, 50, 72, 90])
    ring = np.stack([np.cos(around), np.sin(around)], axis=1)
    unit = np.concatenate(
        [np.column_stack([np.cos(t) * ring, np.full(turns, np.sin(t))]) for t in levels]
        + [np.column_stack([ring, np.zeros(turns)])]
    )
    shade = unit.copy()
    shade[-turns:] = [0, 0, -1]
    pieces = [_ring_faces(k * turns, (k + 1) * turns, turns) for k in range(len(levels) - 1)]
    base = (len(levels)) * turns
    fan = np.arange(1, turns - 1)
    pieces.append(base + np.stack([np.zeros_like(fan), fan + 1, fan], axis=1))
    faces = np.concatenate(pieces)
    scale = np.column_stack([radii, heights])
    vertices = centers[:, None] + unit[None] * scale[:, None]
    normals = shade[None] / scale[:, None]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    index = faces[None] + (np.arange(len(centers)) * len(unit))[:, None, None]
    return Mesh(vertices.reshape(-1, 3), index.reshape(-1, 3), normals.reshape(-1, 3))


def tube(path: np.ndarray, radii: np.ndarray, turns: int = 10) -> Mesh:
    """Sweep a circle of changing radius along a path: cables, fingers, arms.

    Args:
        path: Points in millimeters, float64 of shape (n, 3), none directly above the next.
        radii: At every point, float64 of shape (n,); 0 at both ends closes the tube.
        turns: Pieces around it.

    Returns:
        The surface with smooth normals.
    """
    along = np.gradient(path, axis=0)
    aside = np.cross([0.0, 0.0, 1.0], along)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    above = np.cross(along, aside)
    above /= np.linalg.norm(above, axis=1, keepdims=True)
    angles = np.linspace(0, 2 * np.pi, turns, endpoint=False)
    out = np.cos(angles)[:, None] * aside[:, None] + np.sin(angles)[:, None] * above[:, None]
    vertices = (path[:, None] + radii[:, None, None] * out).reshape(-1, 3)
    rings = [_ring_faces(k * turns, (k + 1) * turns, turns) for k in range(len(path) - 1)]
    faces = np.concatenate(rings)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], area)
    # Around a closed end all corners are one point, with the path's direction for a normal.
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 1e-9, normals / np.maximum(length, 1e-9), out.reshape(-1, 3))
    solid = np.linalg.norm(area, axis=1) > 1e-9
    return Mesh(vertices, faces[solid], normals)


def capsule(start: np.ndarray, stop: np.ndarray, radius: float, tip: float | None = None) -> Mesh:
    """A tube with round ends between two points.

    Args:
        start: Center of the first end, float64 of shape (3,).
        stop: Center of the last end.
        radius: At the first end in millimeters.
        tip: Radius at the last end; the same where None.
    """
    tip = radius if tip is None else tip
    direction = (stop - start) / np.linalg.norm(stop - start)
    bend = np.radians([-90, -60, -30, 0])
    path = np.concatenate(
        [
            start + radius * np.sin(bend)[:, None] * direction,
            stop - tip * np.sin(bend[::-1])[:, None] * direction,
        ]
    )
    return tube(path, np.concatenate([radius * np.cos(bend), tip * np.cos(bend[::-1])]))


Slice = Mapping[str, BaseGeometry]


def terraces(
    levels: Sequence[float], slices: Sequence[Slice], order: Sequence[str]
) -> dict[tuple[str, str], Mesh]:
    """Interfaces between media that are stacks of plane figures.

    Args:
        levels: Heights that part the slices, ascending, one more than there are slices.
        slices: For every slice the figure that each medium fills; figures of one slice touch but
            do not overlap, and what none fills is air.
        order: The media, from the one whose normals always point outwards to the one that only
            points to the air.

    Returns:
        One mesh for every pair of media that meet, keyed (inside, outside), with `AIR` outside
        last. Each interface is there exactly once: no two meshes coincide.

    Raises:
        ValueError: If the number of levels and slices does not fit.

    Example:
        >>> from shapely.geometry import box
        >>> cup = box(0, 0, 4, 4).difference(box(1, 1, 3, 3))
        >>> media = ('glass', 'water')
        >>> slices = [{'glass': box(0, 0, 4, 4)}, {'glass': cup, 'water': box(1, 1, 3, 3)}]
        >>> sorted(terraces([0, 1, 3], slices, media))
        [('glass', 'air'), ('glass', 'water'), ('water', 'air')]
    """
    if len(levels) != len(slices) + 1:
        raise ValueError(
            f'terraces() needs one level more than slices, found {len(levels)} levels and '
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
    """Vertical walls around a figure, parted by the neighbor that each piece of it touches."""
    starts, stops, firsts, lasts, beyond = [], [], [], [], []
    for polygon in shapely.get_parts(shapely.orient_polygons(figure)):
        for ring in (polygon.exterior, *polygon.interiors):
            points = _without_repeats(np.asarray(ring.coords)[:, :2])
            following = np.roll(points, -1, axis=0)
            along = following - points
            along /= np.linalg.norm(along, axis=1, keepdims=True)
            # Oriented rings have the figure on their left, so the right is outside.
            outwards = np.stack([along[:, 1], -along[:, 0]], axis=1)
            first, last = _smoothed_ends(outwards, closed=True)
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
    """Vertical rectangles over pieces of a curve, with their normals at both ends."""
    count = len(start)
    corners = np.stack([start, stop, stop, start], axis=1).reshape(-1, 2)
    heights = np.tile([z0, z0, z1, z1], count)
    normals = np.stack([first, last, last, first], axis=1).reshape(-1, 2)
    base = 4 * np.arange(count)[:, None]
    faces = np.concatenate([base + [0, 1, 2], base + [0, 2, 3]])
    return Mesh(
        np.column_stack([corners, heights]), faces, np.column_stack([normals, 0.0 * heights])
    )


def _strip(
    low: np.ndarray, high: np.ndarray, low_normals: np.ndarray, high_normals: np.ndarray
) -> Mesh:
    """Closed band between two rings of equally many points; triangles without area are left out."""
    count = len(low)
    vertices = np.concatenate([low, high])
    faces = _ring_faces(0, count, count)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return Mesh(vertices, faces[area > 1e-9], np.concatenate([low_normals, high_normals]))


def _ring_faces(low: int, high: int, count: int) -> np.ndarray:
    """Triangles between two rings of `count` vertices that start at `low` and `high`."""
    here = np.arange(count)
    there = (here + 1) % count
    return np.concatenate(
        [
            np.stack([low + here, low + there, high + there], axis=1),
            np.stack([low + here, high + there, high + here], axis=1),
        ]
    )


def _smoothed_ends(normals: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Normals at the first and last end of every piece of a curve, averaged where it is smooth."""
    before, after = np.roll(normals, 1, axis=0), np.roll(normals, -1, axis=0)
    smooth = np.einsum('ij,ij->i', normals, before) > np.cos(np.radians(CREASE_DEGREES))
    if not closed:
        smooth[0] = False
    first = np.where(smooth[:, None], normals + before, normals)
    last = np.where(np.roll(smooth, -1)[:, None], normals + after, normals)
    return (
        first / np.linalg.norm(first, axis=1, keepdims=True),
        last / np.linalg.norm(last, axis=1, keepdims=True),
    )


def _triangles(figure: BaseGeometry) -> np.ndarray:
    """Triangles, float64 of shape (m, 3, 2), anticlockwise, that fill a figure."""
    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(figure))
    triangles = np.array([np.asarray(part.exterior.coords)[:3, :2] for part in parts])
    triangles = triangles.reshape(-1, 3, 2)
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    turn = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    triangles[turn < 0] = triangles[turn < 0][:, ::-1]
    return triangles[np.abs(turn) > 1e-12]


def _area_of(geometry: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry, without the lines and points that overlays leave behind."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == 'Polygon' and p.area > 1e-6]
    return MultiPolygon(parts)


def _without_repeats(points: np.ndarray) -> np.ndarray:
    """Closed ring without its repeated points, also at its end."""
    gap = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1)
    return points[gap > 1e-7]
