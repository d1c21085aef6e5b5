"""Larger opaque objects of a laboratory: screens, keyboards, instruments, books, cables."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon, box

from ..geometry.outlines import Outline
from ..geometry.shapes import tube
from .materials import Glowing, Opaque, Part
from .pictures import any_color, chart, cover, dots, page, picture, plain, tiles, windows
from .plates import Item
from .racks import grid, metal_or_plastic, plastic
from .solids import block, cylinder, slab, standing, topped
from .textures import srgb


def screen(rng: np.random.Generator, size: int = 256) -> Glowing | Opaque:
    """Material of a display that is on, or off.

    Args:
        rng: Random generator.
        size: Side of the displayed picture in pixels.
    """
    if rng.random() < 0.15:
        return Opaque(srgb(14, 14, 16), 'coated', 0.05)
    return Glowing(rng.uniform(0.4, 1.2) * windows(rng, size))


def monitor(rng: np.random.Generator) -> Item:
    """A flat screen standing on the bench."""
    width, depth = rng.uniform(200, 420), rng.uniform(140, 260)
    case = Opaque(srgb(*[rng.uniform(15, 60)] * 3), 'coated', 0.3)
    figure = box(-width / 2, -depth / 2, width / 2, depth / 2)
    parts = [block(figure, 0.0, 14.0, case)]
    parts.append(
        Part(topped(figure.buffer(-6), 14.0, 14.5, case, screen(rng))[1].mesh, screen(rng))
    )
    foot = box(-width / 6, -depth / 2 - 30, width / 6, -depth / 2 - 1)
    parts.append(block(foot, 4.0, 10.0, case))
    return standing(Item(tuple(parts), figure, 15, transparent=False), 'monitor')


def tablet(rng: np.random.Generator) -> Item:
    """A phone or tablet lying on its back."""
    width, depth = [(72, 150), (160, 240), (65, 135)][rng.integers(3)]
    outline = Outline(width, depth, 9.0, 4)
    case = Opaque(any_color(rng), 'coated', 0.15)
    parts = topped(outline.polygon(), 0.0, 8.0, case, Opaque(srgb(10, 10, 12), 'coated', 0.05))
    face = box(-width / 2 + 4, -depth / 2 + 8, width / 2 - 4, depth / 2 - 8)
    parts.append(topped(face, 8.0, 8.2, case, screen(rng))[1])
    return Item(tuple(parts), outline.polygon(), 9, transparent=False, label='tablet')


def keyboard(rng: np.random.Generator) -> Item:
    """A computer keyboard or a number pad."""
    columns, rows = (4, 5) if rng.random() < 0.3 else (15, 6)
    width, depth = 19.0 * columns + 12, 19.0 * rows + 12
    case, keys = plastic(rng), plastic(rng)
    body = Outline(width, depth, 4.0, 3).polygon()
    caps = shapely.union_all(
        [box(x - 8, y - 8, x + 8, y + 8) for x, y in grid(columns, rows, 19.0, 19.0)]
    )
    parts = [block(body, 0.0, 10.0, case), *topped(caps, 10.2, 15.0, keys, keys)]
    return Item(tuple(parts), body, 16, transparent=False, label='keyboard')


def book(rng: np.random.Generator) -> Item:
    """A book, open or closed, or a stack of printed sheets."""
    width, depth = rng.uniform(120, 220), rng.uniform(150, 297)
    kinds: tuple[str, ...] = ('page', 'page', 'cover', 'chart', 'dots', 'blobs', 'rings', 'marble')
    top = Opaque(picture(rng, 384, kinds), 'coated', 0.5)
    return slab(width, depth, rng.uniform(0.5, 30), Opaque(srgb(228, 224, 214)), top, 'book')


def paper(rng: np.random.Generator) -> Item:
    """A loose printed sheet or card."""
    width = rng.uniform(40, 210)
    depth = width * rng.uniform(0.6, 1.5)
    image = [page, chart, dots, tiles, plain, cover][rng.integers(6)](rng, 384)
    return slab(width, depth, 0.3, Opaque(srgb(235, 235, 235)), Opaque(image), 'paper')


def cable(rng: np.random.Generator) -> Item:
    """A cable in curves on the bench."""
    radius = rng.uniform(1.5, 4.0)
    angle = np.cumsum(rng.normal(0, 0.35, 28))
    path = np.cumsum(np.stack([np.cos(angle), np.sin(angle)], axis=1) * 12.0, axis=0)
    path -= path.mean(axis=0)
    points = np.column_stack([path, radius + 0.2 + 0.2 * np.arange(28) / 28])
    radii = np.full(28, radius)
    radii[[0, -1]] = 0.0
    part = Part(tube(points, radii, turns=8), Opaque(any_color(rng), 'coated', 0.3))
    ground = cast(Polygon, LineString(path).buffer(radius + 1).convex_hull)
    return Item((part,), ground, 2 * radius, transparent=False, label='cable')


def instrument(rng: np.random.Generator) -> Item:
    """A box-shaped machine with a display, knobs and buttons on its front."""
    width, depth, height = rng.uniform(120, 320), rng.uniform(110, 260), rng.uniform(50, 220)
    case = Opaque(any_color(rng) if rng.random() < 0.4 else srgb(*[rng.uniform(190, 240)] * 3),
                  'coated', 0.35)  # fmt: skip
    # Built lying on its back: its top becomes the front when it is stood up.
    figure = Outline(width, height, 5.0, 3).polygon()
    parts = [block(figure, 0.0, depth, case)]
    panel = box(-0.42 * width, -0.1 * height, rng.uniform(0, 0.4) * width, 0.4 * height)
    parts.append(topped(panel, depth, depth + 0.5, case, screen(rng))[1])
    for _ in range(int(rng.integers(0, 6))):
        radius = rng.uniform(4, 0.12 * height)
        x, y = rng.uniform(-0.4, 0.4) * width, rng.uniform(-0.4, -0.2) * height
        knob = cylinder(radius, rng.uniform(3, 18), 0.0, plastic(rng))
        move = np.eye(4)
        move[:3, 3] = [x, y, depth]
        parts.append(Part(knob.mesh.transformed(move), knob.material))
    return standing(Item(tuple(parts), figure, depth, transparent=False), 'instrument')


def open_machine(rng: np.random.Generator) -> Item:
    """A housing without a top: walls around boards, blocks, rails and wheels."""
    width, depth, height = rng.uniform(140, 320), rng.uniform(120, 240), rng.uniform(30, 90)
    outer = Outline(width, depth, 4.0, 3).polygon()
    wall = metal_or_plastic(rng)
    parts = [
        block(outer.difference(outer.buffer(-rng.uniform(5, 16))), 1.0, height, wall),
        *topped(outer.buffer(-0.5), 0.0, 0.8, wall, Opaque(picture(rng, 256), 'coated', 0.4)),
    ]
    for _ in range(int(rng.integers(3, 10))):
        w, d = rng.uniform(8, 0.3 * width), rng.uniform(8, 0.3 * depth)
        x = rng.uniform(-0.5, 0.5) * (0.85 * width - w)
        y = rng.uniform(-0.5, 0.5) * (0.85 * depth - d)
        top = rng.uniform(4, height)
        image = [dots, tiles, plain, cover][rng.integers(4)](rng, 96)
        figure = box(x - w / 2, y - d / 2, x + w / 2, y + d / 2)
        parts += topped(figure, 1.5, top, metal_or_plastic(rng), Opaque(image, 'coated', 0.4))
    return Item(tuple(parts), outer, height, transparent=False, label='open machine')


def gantry(rng: np.random.Generator) -> Item:
    """A machine of square beams: base frame, posts, cross beams, boards and motors."""
    width, depth = rng.uniform(160, 380), rng.uniform(140, 300)
    bar, height = rng.uniform(10, 24), rng.uniform(50, 220)
    beam = metal_or_plastic(rng)
    outer = box(-width / 2, -depth / 2, width / 2, depth / 2)
    ring = outer.difference(outer.buffer(-bar, join_style='mitre'))
    corners = grid(2, 2, width - bar, depth - bar)
    posts = [box(x - bar / 2, y - bar / 2, x + bar / 2, y + bar / 2) for x, y in corners]
    parts = [block(ring, 0.5, bar, beam), block(shapely.MultiPolygon(posts), bar, height, beam)]
    if rng.random() < 0.6:
        parts.append(block(ring, height, height + bar, beam))
    for _ in range(int(rng.integers(1, 4))):
        at, level = rng.uniform(-0.35, 0.35), rng.uniform(bar, height)
        across = rng.random() < 0.5
        x, y = at * (width - bar), at * (depth - bar)
        rail = box(x - bar / 2, -depth / 2 + bar, x + bar / 2, depth / 2 - bar) if across else box(
            -width / 2 + bar, y - bar / 2, width / 2 - bar, y + bar / 2)  # fmt: skip
        parts.append(block(rail, level + 0.1, level + 0.8 * bar, beam))
    for _ in range(int(rng.integers(2, 8))):
        w, d = rng.uniform(15, 0.35 * width), rng.uniform(15, 0.35 * depth)
        x, y = rng.uniform(-0.5, 0.5, 2) * (0.8 * width - w, 0.8 * depth - d)
        level = rng.uniform(0.5, 0.7 * height)
        image = [dots, tiles, plain, cover][rng.integers(4)](rng, 96)
        figure = box(x - w / 2, y - d / 2, x + w / 2, y + d / 2)
        parts += topped(
            figure, level, level + rng.uniform(2, 50), metal_or_plastic(rng),
            Opaque(image, 'coated', 0.4),
        )  # fmt: skip
    return Item(tuple(parts), outer, height + bar, transparent=False, label='gantry')


DEVICES: dict[str, Callable[[np.random.Generator], Item]] = {
    'monitor': monitor,
    'tablet': tablet,
    'keyboard': keyboard,
    'book': book,
    'paper': paper,
    'cable': cable,
    'instrument': instrument,
    'open_machine': open_machine,
    'gantry': gantry,
}
"""Functions that draw an object at random, by its name in specs."""
