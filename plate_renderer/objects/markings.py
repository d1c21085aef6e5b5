"""Handwriting, labels, tags, scratches and drops on plates."""

from __future__ import annotations

import cv2
import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from ..geometry.shapes import sheet
from ..geometry.transforms import rotation_z
from .materials import Coating, Part
from .pictures import any_color
from .plates import Surface
from .textures import lettering, srgb

LIFT = 0.12
"""Distance of markings from their surface in millimeters, more than Mitsuba's tolerance."""
INKS = (srgb(18, 18, 22), srgb(22, 30, 90), srgb(150, 22, 24), srgb(16, 70, 34))
PAPER = srgb(228, 205, 160)
STRAINS = ('E. coli', 'DH5a', 'BL21', 'S. aureus', 'P. putida', 'B. subtilis', 'WT', 'ctrl')
MEDIA = ('LB', 'LB+Amp', 'LB Kan', 'MH', 'YPD', 'TSA', 'PDA', 'R2A', 'SC-Ura', '1/2 MS')
INITIALS = ('JK', 'AB', 'MRS', 'TL', 'EW', 'CD')


def note(rng: np.random.Generator) -> list[str]:
    """Lines of text as written on plates: strain, medium, dilution, date, initials."""
    lines = [
        str(rng.choice(STRAINS)),
        str(rng.choice(MEDIA)),
        f'10^-{rng.integers(2, 9)}',
        f'{rng.integers(1, 29)}/{rng.integers(1, 13)}',
        str(rng.choice(INITIALS)),
        f'#{rng.integers(1, 60)}',
    ]
    keep = rng.permutation(len(lines))[: rng.integers(1, 4)]
    return [lines[k] for k in sorted(keep)]


def writing(surface: Surface, rng: np.random.Generator, from_below: bool) -> list[Part]:
    """Handwriting with a marker on a plate's bottom or lid.

    Args:
        surface: Surface of the plate that is written on.
        rng: Random generator.
        from_below: Whether it is on the underside and read from below.

    Returns:
        One layer of ink at a distance of `LIFT`; nothing if no stroke is thick enough.
    """
    width, depth = surface.outline.width, surface.outline.depth
    across = width * rng.uniform(0.3, 0.75)
    along = min(across * rng.uniform(0.3, 0.7), 0.7 * depth)
    ink = lettering(rng, note(rng), (256, 512), thickness=rng.uniform(0.06, 0.12))
    x = rng.uniform(-0.5, 0.5) * (0.7 * width - across)
    y = rng.uniform(-0.5, 0.5) * (0.7 * depth - along)
    corner = (x - across / 2, y - along / 2)
    figure = strokes(ink[:, ::-1] if from_below else ink, corner, across, along)
    if figure.is_empty:
        return []
    coating = Coating(INKS[rng.integers(len(INKS))], rng.uniform(0.8, 0.97))
    return [Part(sheet(figure, surface.z + (-LIFT if from_below else LIFT)), coating)]


def strokes(
    ink: np.ndarray, corner: tuple[float, float], width: float, depth: float
) -> MultiPolygon:
    """Convert a drawing to polygons.

    Polygons, rather than a texture on a transparent rectangle, since the rectangle would appear in
    the denoiser's features.

    Args:
        ink: Opacity of the drawing in [0, 1], top row first, float of shape (h, w).
        corner: Lower left corner (x, y) in millimeters.
        width: Width of the drawing in millimeters.
        depth: Height of the drawing in millimeters.

    Returns:
        Polygons of the pixels with an opacity above 0.5, in millimeters.
    """
    rings, hierarchy = cv2.findContours(
        (ink > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    scale = np.array([width / ink.shape[1], -depth / ink.shape[0]])
    origin = np.array([corner[0], corner[1] + depth])
    outer: list[Polygon] = []
    holes: list[Polygon] = []
    for ring, (_, _, _, parent) in zip(rings, hierarchy[0] if rings else [], strict=True):
        if len(ring) >= 4:
            polygon = Polygon(ring[:, 0] * scale + origin).simplify(0.05).buffer(0)
            (outer if parent < 0 else holes).append(polygon)
    figure = shapely.union_all(outer).difference(shapely.union_all(holes))
    return MultiPolygon([p for p in shapely.get_parts(figure) if p.geom_type == 'Polygon'])


def tag(surface: Surface, rng: np.random.Generator) -> list[Part]:
    """A piece of paper or tape of any color and direction, with or without writing or a code."""
    width = surface.outline.width * rng.uniform(0.2, 0.5)
    depth = min(width, surface.outline.depth) * rng.uniform(0.2, 0.8)
    image = np.ones((128, 256, 3)) * np.asarray(any_color(rng) if rng.random() < 0.5 else PAPER)
    kind = rng.random()
    if kind < 0.6:
        image *= 1 - 0.9 * lettering(rng, note(rng)[:2], (128, 256), 0.1)[..., None]
    elif kind < 0.75:
        code = np.kron(rng.random((16, 16)) < 0.5, np.ones((6, 6)))
        image[16:112, 80:176] *= 1 - 0.95 * code[..., None]
    figure = Polygon([(-width, -depth), (width, -depth), (width, depth), (-width, depth)])
    mesh = sheet(affinity.scale(figure, 0.5, 0.5), 0.0)
    reach = max(0.0, surface.outline.width / 2 - 0.55 * float(np.hypot(width, depth)))
    angle, turn, away = rng.uniform(0, 2 * np.pi, 2).tolist() + [reach * rng.uniform(0, 1)]
    move = rotation_z(turn)
    move[:3, 3] = [away * np.cos(angle), away * np.sin(angle), surface.z + LIFT]
    return [Part(mesh.transformed(move), Coating(image, 1.0))]


def wear(surface: Surface, rng: np.random.Generator) -> list[Part]:
    """Condensation drops or scratches, just below a surface."""
    half = 0.46 * np.array([surface.outline.width, surface.outline.depth])
    count = int(rng.integers(40, 350))
    centers = rng.uniform(-half, half, (count, 2))
    if rng.random() < 0.6:
        sizes = rng.uniform(0.3, 1.6) * rng.lognormal(0, 0.4, count)
        marks = [Point(p).buffer(r, quad_segs=2) for p, r in zip(centers, sizes, strict=True)]
        coating = Coating((0.85, 0.85, 0.87), rng.uniform(0.12, 0.5), translucent=True)
    else:
        steps = rng.normal(0, 8, (count // 4, 2))
        lines = np.stack([centers[: len(steps)], centers[: len(steps)] + steps], axis=1)
        marks = [LineString(line).buffer(0.06, cap_style='flat') for line in lines]
        coating = Coating((0.9, 0.9, 0.9), rng.uniform(0.3, 0.7), translucent=True)
    figure = shapely.union_all(marks).intersection(surface.outline.polygon(1.0))
    polygons = [p for p in shapely.get_parts(figure) if p.geom_type == 'Polygon' and p.area > 1e-4]
    return [Part(sheet(MultiPolygon(polygons), surface.z - LIFT), coating)] if polygons else []


def sticker(surface: Surface, rng: np.random.Generator) -> list[Part]:
    """A printed paper label with text and a bar code."""
    width = min(rng.uniform(22, 45), 0.5 * surface.outline.width)
    depth = min(rng.uniform(10, 18), 0.3 * surface.outline.depth)
    image = np.ones((192, 448, 3)) * np.asarray(srgb(238, 238, 232))
    ink = lettering(rng, note(rng)[:2], (120, 400), 0.08, wobble=0.0)
    image[8:128, 24:424] *= 1 - 0.92 * ink[..., None]
    bars = np.repeat(rng.random(100) < 0.5, 4)
    image[136:180, 24:424][:, bars] = 0.03
    x = rng.uniform(-0.5, 0.5) * (0.7 * surface.outline.width - width)
    y = rng.uniform(-0.5, 0.5) * (0.7 * surface.outline.depth - depth)
    figure = box(x - width / 2, y - depth / 2, x + width / 2, y + depth / 2)
    return [Part(sheet(figure, surface.z + LIFT), Coating(image, 1.0))]
