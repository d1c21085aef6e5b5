"""Small opaque objects on a bench: cards, rulers, notebooks, boxes, pens, tape, caps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from shapely.geometry import box

from ..geometry.extrusion import extrude
from ..geometry.lofting import arc, loft
from ..geometry.outlines import Outline
from .materials import Opaque, Part
from .plates import Item
from .solids import SEGMENTS, cylinder, round_item, slab
from .textures import lettering, noise, ruled, srgb, tinted


def card(rng: np.random.Generator) -> Item:
    """A small printed card with a number, as in photographs of plates, or a color patch."""
    width = rng.uniform(12, 32)
    depth = width * rng.uniform(0.6, 1.0)
    if rng.random() < 0.3:
        image = np.ones((8, 8, 3)) * np.asarray(srgb(200, 32, 34))
    else:
        image = np.ones((128, 128, 3)) * np.asarray(srgb(240, 240, 236))
        text = str(rng.integers(1, 100))
        image *= 1 - 0.95 * lettering(rng, [text], (128, 128), 0.1, 0.0)[..., None]
    return slab(width, depth, 0.3, Opaque(srgb(235, 235, 230)), Opaque(image), 'card')


def ruler(rng: np.random.Generator) -> Item:
    """A steel or plastic ruler with millimeter ticks."""
    length, depth, pixels = rng.choice([150.0, 200.0]), 26.0, 1600
    image = np.ones((208, pixels, 3)) * np.asarray(
        [srgb(225, 225, 222), srgb(240, 230, 120), srgb(190, 190, 192)][rng.integers(3)]
    )
    for mm in range(3, int(length) - 3):
        at = round(mm / length * pixels)
        reach = 72 if mm % 10 == 0 else 52 if mm % 5 == 0 else 32
        image[:reach, at : at + 2] = 0.02
    top = Opaque(image, 'coated', 0.25)
    return slab(float(length), depth, 1.0, Opaque(srgb(200, 200, 200)), top, 'ruler')


def notebook(rng: np.random.Generator) -> Item:
    """A notebook, closed with a cloth cover, or open with handwriting."""
    width, depth = rng.uniform(90, 150), rng.uniform(120, 200)
    if rng.random() < 0.5:
        cover = noise(rng, 256, (20, 20), 4)
        base = np.array(srgb(*rng.uniform(30, 190, 3)))
        top = Opaque(tinted(cover, tuple(0.8 * base), tuple(base)), 'coated', 0.4)
    else:
        page = ruled(512, 40, srgb(244, 242, 232), srgb(190, 205, 225), bold_every=100)
        words = [
            ' '.join('nmuaeoli'[k] * 2 for k in rng.integers(0, 8, rng.integers(3, 8)))
            for _ in range(int(rng.integers(5, 12)))
        ]
        ink = lettering(rng, words, (512, 512), 0.05, 0.05)[..., None]
        top = Opaque(page * (1 - 0.85 * ink))
    return slab(width, depth, rng.uniform(4, 16), Opaque(srgb(230, 226, 214)), top, 'notebook')


def carton(rng: np.random.Generator) -> Item:
    """A box of tips, gloves or tubes with a printed lid."""
    width, depth, height = rng.uniform(60, 130), rng.uniform(60, 120), rng.uniform(25, 75)
    base = np.array(srgb(*rng.uniform(30, 235, 3)))
    image = np.ones((256, 256, 3)) * base
    stripe = np.array(srgb(*rng.uniform(20, 240, 3)))
    start = int(rng.integers(20, 160))
    image[start : start + int(rng.integers(20, 80))] = stripe
    image *= 1 - 0.9 * lettering(rng, ['LAB', str(rng.integers(10, 1000))], (256, 256))[..., None]
    finish = Opaque(tuple(base), 'coated', 0.4)
    return slab(width, depth, height, finish, Opaque(image, 'coated', 0.4), 'carton')


def pen(rng: np.random.Generator) -> Item:
    """A marker lying on the bench."""
    radius, length = rng.uniform(4.5, 8.0), rng.uniform(110, 145)
    outline = Outline.circle(2 * radius, SEGMENTS)
    color = [srgb(20, 20, 24), srgb(30, 50, 150), srgb(180, 30, 34), srgb(20, 110, 60)]
    ink = Opaque(color[rng.integers(4)], 'coated', 0.2)
    barrel = Opaque(color[0] if rng.random() < 0.5 else srgb(225, 225, 222), 'coated', 0.25)
    split = 0.62 * length
    body = [(radius, 0), *arc((1.5, 1.5), 1.5, -90, 0), (0, split)]
    cap = [(-0.6, split), *arc((0.9, length - 1.5), 1.5, 0, 90), (radius, length)]
    lying = np.array([[0.0, 0, 1, -length / 2], [0, 1, 0, 0], [-1, 0, 0, radius + 0.6],
                      [0, 0, 0, 1]])  # fmt: skip
    parts = (Part(loft(outline, body), barrel), Part(loft(outline, cap), ink))
    reach = length / 2
    return Item(parts, box(-reach, -radius - 1, reach, radius + 1), 2 * radius + 1,
                transparent=False, label='pen').transformed(lying)  # fmt: skip


def tape(rng: np.random.Generator) -> Item:
    """A roll of labeling tape."""
    outer, inner, height = rng.uniform(32, 48), rng.uniform(18, 24), rng.uniform(12, 20)
    ring = Outline.circle(2 * outer).polygon().difference(Outline.circle(2 * inner).polygon())
    mesh = extrude([0, height], [{'tape': ring}], ['tape'])['tape', 'air']
    color = srgb(*rng.uniform(60, 240, 3))
    part = Part(mesh, Opaque(color, 'coated', 0.35))
    return Item((part,), Outline.circle(2 * outer).polygon(), height, transparent=False,
                label='tape')  # fmt: skip


def cap(rng: np.random.Generator) -> Item:
    """A loose screw cap."""
    radius, height = rng.uniform(6, 20), rng.uniform(8, 20)
    color = [srgb(236, 236, 232), srgb(30, 70, 150), srgb(24, 24, 26)][rng.integers(3)]
    part = cylinder(radius, height, 0.0, Opaque(color, 'coated', 0.3))
    return round_item([part], radius, height, 'cap', transparent=False)


CLUTTER: dict[str, Callable[[np.random.Generator], Item]] = {
    'card': card,
    'ruler': ruler,
    'notebook': notebook,
    'carton': carton,
    'pen': pen,
    'tape': tape,
    'cap': cap,
}
"""Functions that draw an object at random, by its name in specs."""
