"""Growth on agar: colonies, lawns with antibiotic discs, streaks, mold, seedlings.

Flat growth (lawns, streaks, turbidity, blood) is a textured layer just below the agar's surface,
which stays glossy; raised growth is a mesh on the surface.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..geometry.lofting import arc, loft
from ..geometry.mesh import merge
from ..geometry.outlines import Outline
from ..geometry.shapes import domes, sheet
from ..geometry.transforms import rotation_z
from .materials import Coating, Color, Opaque, Part
from .pictures import any_color
from .plates import Surface
from .textures import lettering, noise, srgb, tinted

CANVAS = 768
"""Side of the layers' textures in pixels."""
EDGE = 3.2
"""Distance of painted layers from the wall in millimeters, because of the meniscus."""
LIFT = 0.08
"""Air gap in millimeters under objects on the agar, more than Mitsuba's tolerance."""
DISC_DIAMETER, DISC_THICKNESS = 6.0, 1.0
"""Antibiotic susceptibility discs in millimeters: 6 mm paper, as in EUCAST's and CLSI's methods."""

CREAM, YELLOW, WHITE = srgb(225, 205, 150), srgb(214, 178, 74), srgb(232, 228, 214)
RED, PINK, GREEN = srgb(150, 38, 40), srgb(214, 128, 130), srgb(120, 140, 80)
COLONY_COLORS = (CREAM, CREAM, YELLOW, WHITE, RED, PINK, GREEN)


def turbidity(
    surface: Surface, rng: np.random.Generator, color: Color, opacity: float
) -> list[Part]:
    """Turbidity of the agar, slightly uneven.

    Args:
        surface: The agar's surface.
        rng: Random generator.
        color: Color of the scattered light, linear RGB.
        opacity: Share of light that is scattered, in [0, 1].

    Returns:
        One translucent layer, 1 mm below the surface.
    """
    uneven = opacity * (0.9 + 0.2 * noise(rng, 128, (2, 2), 3))
    figure = surface.outline.polygon(0.4)
    layer = Coating(color, np.clip(uneven, 0, 1), translucent=True)
    return [Part(sheet(figure, surface.z - 1.0), layer)]


def colonies(surface: Surface, rng: np.random.Generator, count: int, color: Color) -> list[Part]:
    """Round colonies of one species at random positions; some may touch.

    Args:
        surface: The agar's surface.
        rng: Random generator.
        count: Number of colonies; those that would lie outside the dish are dropped.
        color: Linear RGB.
    """
    half = surface.outline.width / 2 - EDGE
    centers = _inside(surface.outline, rng.uniform(-half, half, (count, 2)))
    radius = rng.uniform(0.4, 1.5) * rng.lognormal(0, 0.25, len(centers))
    feet = np.column_stack([centers, np.full(len(centers), surface.z + LIFT)])
    radii = np.column_stack([radius, radius * rng.uniform(0.85, 1.15, len(centers))])
    mesh = domes(feet, radii, radius * rng.uniform(0.25, 0.5))
    return [Part(mesh, Opaque(color, 'coated', 0.15))]


def lawn(
    surface: Surface, rng: np.random.Generator, color: Color, disc_count: int, opacity: float = 0.6
) -> list[Part]:
    """Bacterial lawn, swabbed, with antibiotic discs and zones of inhibition.

    Args:
        surface: The agar's surface.
        rng: Random generator.
        color: Color of the lawn, linear RGB.
        disc_count: Number of antibiotic discs, on a ring or, in square dishes, a grid; may be 0.
        opacity: Opacity of dense growth, in [0, 1].
    """
    x, y, pixel = _canvas(surface)
    angle = rng.uniform(0, np.pi)
    rough = noise(rng, CANVAS, (2, 2), 6)
    across = np.cos(angle) * x + np.sin(angle) * y + 2.5 * noise(rng, CANVAS, (4, 4), 3)
    swab = 0.75 + 0.25 * np.sin(2 * np.pi * across / rng.uniform(2.0, 4.0))
    density = opacity * np.clip(swab * (0.7 + 0.5 * rough), 0, 1)
    centers = _disc_centers(surface.outline, rng, disc_count)
    for cx, cy in centers:
        zone = rng.uniform(4, 16) if rng.random() < 0.85 else 0.0
        fringe = 0.8 * (rough - 0.5)
        inside = (zone - np.hypot(x - cx, y - cy) + 2 * fringe) / rng.uniform(0.4, 2.0)
        density *= 1 / (1 + np.exp(np.clip(3 * inside, -30, 30)))
    parts = [_painted(surface, Coating(color, density, translucent=True))]
    if len(centers):
        parts += _discs(surface, rng, centers)
    return parts


def streaks(surface: Surface, rng: np.random.Generator, color: Color) -> list[Part]:
    """Quadrant streak: four zigzag lines of decreasing width, the last one with colonies."""
    _, _, pixel = _canvas(surface)
    ink = np.zeros((CANVAS, CANVAS), np.uint8)
    radius = 0.42 * CANVAS
    turn = rng.uniform(0, 2 * np.pi)
    last = np.zeros((0, 2))
    for quadrant in range(4):
        steps = int(rng.integers(6, 12))
        angles = turn + quadrant * np.pi / 2 + np.linspace(0, 1.25, steps)
        reach = np.where(np.arange(steps) % 2, 0.35, 0.98) * radius
        path = np.stack([np.cos(angles) * reach, np.sin(angles) * reach], axis=1)
        path = path + rng.normal(0, 3, path.shape) + CANVAS / 2
        width = max(1, round((1.4 - 0.25 * quadrant) * pixel))
        cv2.polylines(ink, [path.astype(np.int32)], False, 255, width, cv2.LINE_AA)
        last = path
    grain = noise(rng, CANVAS, (90, 90), 3)
    opacity = 0.85 * (ink / 255.0) * np.clip(0.4 + 1.2 * grain, 0, 1)
    along = rng.uniform(0, 1, (40, 1))
    pick = rng.integers(0, len(last) - 1, 40)
    spots = (last[pick] * (1 - along) + last[pick + 1] * along - CANVAS / 2) / pixel
    centers = _inside(surface.outline, spots * [1, -1])
    size = rng.uniform(0.4, 1.1, len(centers))
    feet = np.column_stack([centers, np.full(len(centers), surface.z + LIFT)])
    mesh = domes(feet, np.column_stack([size, size]), 0.4 * size)
    return [
        _painted(surface, Coating(color, opacity, translucent=True)),
        Part(mesh, Opaque(color, 'coated', 0.15)),
    ]


def blood(surface: Surface, rng: np.random.Generator) -> list[Part]:
    """Blood agar: nearly opaque and red, with clear zones of hemolysis."""
    x, y, _ = _canvas(surface)
    opacity = np.full((CANVAS, CANVAS), rng.uniform(0.93, 0.98))
    rough = noise(rng, CANVAS, (6, 6), 4)
    half = 0.8 * surface.outline.width / 2
    for _ in range(int(rng.integers(0, 4))):
        cx, cy = rng.uniform(-half, half, 2)
        zone = rng.uniform(4, 0.5 * half)
        edge = np.hypot(x - cx, y - cy) - zone + 6 * (rough - 0.5)
        opacity -= 0.3 / (1 + np.exp(np.clip(2 * edge, -30, 30)))
    color = tinted(rough, srgb(96, 8, 18), srgb(140, 14, 30))
    return [_painted(surface, Coating(color, np.clip(opacity, 0.3, 1), translucent=True), edge=0.4)]


def mold(surface: Surface, rng: np.random.Generator, count: int) -> list[Part]:
    """Fungal colonies: discs with a pale margin and a colored center with rings."""
    x, y, _ = _canvas(surface)
    rough = noise(rng, CANVAS, (12, 12), 6)
    opacity = np.zeros((CANVAS, CANVAS))
    color = np.ones((CANVAS, CANVAS, 3)) * np.asarray(WHITE)
    middle = np.asarray([srgb(70, 92, 60), srgb(48, 46, 44), srgb(150, 130, 60)][rng.integers(3)])
    half = 0.75 * surface.outline.width / 2
    for _ in range(count):
        cx, cy = rng.uniform(-half, half, 2)
        radius = rng.uniform(0.12, 0.4) * half
        away = np.hypot(x - cx, y - cy) / radius + 0.25 * (rough - 0.5)
        opacity = np.maximum(opacity, np.clip(8 * (1 - away), 0, 0.97))
        ringed = np.clip(1.15 - away, 0, 1) * (0.75 + 0.25 * np.cos(9 * away))
        share = np.clip(1.6 * ringed, 0, 1)[..., None]
        color = np.where((away < 1)[..., None], color * (1 - share) + middle * share, color)
    return [_painted(surface, Coating(color * (0.7 + 0.3 * rough[..., None]), opacity))]


def seedlings(surface: Surface, rng: np.random.Generator, count: int) -> list[Part]:
    """A row of seedlings with leaves and with roots along the agar."""
    _, _, pixel = _canvas(surface)
    half = surface.outline.width / 2
    row = half * rng.uniform(0.35, 0.65)
    roots = np.zeros((CANVAS, CANVAS), np.uint8)
    feet, radii, heights = [], [], []
    for x in np.linspace(-0.75, 0.75, count) * half:
        foot = np.array([x + rng.normal(0, 1.0), row + rng.normal(0, 1.0)])
        size = rng.uniform(0.8, 3.0)
        for k in range(int(rng.integers(2, 8))):
            angle = 2.4 * k + rng.normal(0, 0.3)
            offset = size * rng.uniform(0.6, 1.2) * np.array([np.cos(angle), np.sin(angle)])
            feet.append([*(foot + offset), surface.z + LIFT + 0.9 * k / 8])
            radii.append(size * rng.uniform(0.45, 0.8, 2))
            heights.append(0.25 * size)
        length = int(rng.integers(8, 45))
        steps = np.cumsum(rng.normal([0, -1.0], [0.35, 0.15], (length, 2)), axis=0)
        path = (foot + steps) * [1, -1] * pixel + CANVAS / 2
        width = max(1, round(0.3 * pixel))
        cv2.polylines(roots, [path.astype(np.int32)], False, 255, width, cv2.LINE_AA)
    leaves = domes(np.array(feet), np.array(radii), np.array(heights), turns=10)
    green = srgb(60 + int(rng.integers(40)), 110 + int(rng.integers(40)), 35)
    return [
        Part(leaves, Opaque(green, 'coated', 0.4)),
        _painted(surface, Coating(srgb(222, 214, 190), 0.7 * roots / 255.0, translucent=True)),
    ]


def colored(surface: Surface, rng: np.random.Generator) -> list[Part]:
    """A colored or opaque medium, such as chocolate, charcoal and indicator agars."""
    rough = noise(rng, 256, (4, 4), 4)
    color = np.asarray(any_color(rng))
    layer = Coating(color * (0.8 + 0.2 * rough[..., None]), rng.uniform(0.5, 0.97), True)
    half = surface.outline.width / 2
    return [
        Part(
            sheet(surface.outline.polygon(0.4), surface.z - 0.4, (-half, -half, half, half)), layer
        )
    ]


def membranes(surface: Surface, rng: np.random.Generator) -> list[Part]:
    """One to three filter membranes with colonies of one or several colors."""
    half = surface.outline.width / 2 - EDGE
    count = int(rng.integers(1, 4)) if half > 38 else 1
    radius = half * rng.uniform(0.3, 0.75 if count == 1 else 0.45)
    turn, away = rng.uniform(0, 2 * np.pi), 0.0 if count == 1 else half - radius
    paper = Opaque(srgb(*(rng.uniform(205, 245) * np.array([1, 1, rng.uniform(0.9, 1)]))))
    top = surface.z + LIFT + 0.3
    parts = []
    for k in range(count):
        angle = turn + 2 * np.pi * k / count
        center = away * np.array([np.cos(angle), np.sin(angle)]) + rng.normal(0, 1.0, 2)
        if 2 * radius > 1.7 * (half - radius) and count > 2:
            break
        figure = Outline.circle(2 * radius).polygon()
        move = np.eye(4)
        move[:3, 3] = [*center, 0.0]
        disc = merge([sheet(figure, top), sheet(figure, top - 0.2).reversed()])
        parts.append(Part(disc.transformed(move), paper))
        for _ in range(int(rng.integers(0, 3))):
            spots = radius * 0.92 * np.sqrt(rng.random((int(rng.integers(3, 80)), 1)))
            angles = rng.uniform(0, 2 * np.pi, len(spots))
            around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
            feet = np.column_stack([center + spots * around, np.full(len(spots), top + LIFT)])
            size = rng.uniform(0.4, 2.0) * rng.lognormal(0, 0.25, len(spots))
            mesh = domes(feet, np.column_stack([size, size]), 0.3 * size)
            parts.append(Part(mesh, Opaque(any_color(rng), 'coated', 0.2)))
    return parts


def pieces(surface: Surface, rng: np.random.Generator) -> list[Part]:
    """Seeds, leaf discs, explants or insects on the medium."""
    half = 0.8 * (surface.outline.width / 2 - EDGE)
    count = int(rng.integers(1, 16))
    if rng.random() < 0.5:
        angles = 2 * np.pi * np.arange(count) / count + rng.uniform(0, 6)
        centers = half * rng.uniform(0.3, 0.85) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    else:
        centers = _inside(surface.outline, rng.uniform(-half, half, (count, 2)))
    count = max(len(centers), 1)
    centers = centers if len(centers) else np.zeros((1, 2))
    size = half * rng.uniform(0.04, 0.14)
    radii = size * rng.uniform(0.7, 1.3, (count, 2)) * [1.0, rng.uniform(0.4, 1.0)]
    feet = np.column_stack([centers, np.full(count, surface.z + LIFT)])
    mesh = domes(feet, radii, rng.uniform(0.1, 0.7) * radii.min(axis=1))
    return [Part(mesh, Opaque(any_color(rng), 'coated', rng.uniform(0.15, 0.5)))]


def _canvas(surface: Surface) -> tuple[np.ndarray, np.ndarray, float]:
    """Coordinates x and y of a texture's pixels in millimeters, and pixels per millimeter."""
    half = surface.outline.width / 2
    at = (np.arange(CANVAS) + 0.5) / CANVAS * 2 - 1
    return (
        np.tile(at * half, (CANVAS, 1)),
        np.tile((-at * half)[:, None], (1, CANVAS)),
        (CANVAS / surface.outline.width),
    )


def _painted(surface: Surface, coating: Coating, edge: float = EDGE) -> Part:
    """A layer with a coating, just below the agar's surface."""
    half = surface.outline.width / 2
    figure = surface.outline.polygon(edge)
    return Part(sheet(figure, surface.z - 0.2, (-half, -half, half, half)), coating)


def _inside(outline: Outline, points: np.ndarray) -> np.ndarray:
    """The points at least `EDGE` inside an outline."""
    half = outline.width / 2 - EDGE
    corner = max(outline.radius - EDGE, 0.0)
    beyond = np.maximum(np.abs(points) - (half - corner), 0.0)
    return points[np.hypot(*beyond.T) < corner]


def _disc_centers(outline: Outline, rng: np.random.Generator, count: int) -> np.ndarray:
    """Centers of antibiotic discs, (n, 2): a grid in square dishes, a ring in round ones."""
    if count == 0:
        return np.zeros((0, 2))
    half = outline.width / 2
    if outline.radius < 0.9 * half:
        side = max(2, round(np.sqrt(count)))
        at = np.linspace(-1, 1, side) * (half - 14)
        centers = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    else:
        angles = 2 * np.pi * np.arange(count) / count + rng.uniform(0, 2 * np.pi)
        centers = 0.62 * half * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return centers + rng.normal(0, 0.5, centers.shape)


def _discs(surface: Surface, rng: np.random.Generator, centers: np.ndarray) -> list[Part]:
    """Antibiotic discs of paper with a printed code."""
    edge = 0.2
    profile = [
        (DISC_DIAMETER / 2, 0.0),
        (0.0, 0.0),
        *arc((edge, DISC_THICKNESS - edge), edge, 0, 90, steps=2),
        (DISC_DIAMETER / 2, DISC_THICKNESS),
    ]
    paper = loft(Outline.circle(DISC_DIAMETER, segments=6), profile)
    print_area = sheet(Outline(4.4, 4.4, 0.3, 2).polygon(), DISC_THICKNESS + LIFT)
    code = ''.join(rng.choice(list('ACEGIMNPTX'), 3))
    ink = lettering(rng, [code, str(rng.choice([5, 10, 30, 100]))], (96, 96), 0.14, 0.0)
    moves = []
    for x, y in centers:
        move = rotation_z(rng.uniform(0, 2 * np.pi))
        move[:3, 3] = [x, y, surface.z + LIFT]
        moves.append(move)
    return [
        Part(merge(paper.transformed(move) for move in moves), Opaque(srgb(236, 233, 226))),
        Part(
            merge(print_area.transformed(move) for move in moves),
            Coating(srgb(40, 38, 42), 0.85 * ink),
        ),
    ]
