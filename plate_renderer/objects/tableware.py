"""Round objects that are not plates: crockery, glasses, jars, lids, coins, coasters, clocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..geometry.lofting import arc, loft
from ..geometry.outlines import Outline
from ..geometry.shapes import sheet
from .glassware import liquid, vessel
from .materials import Glowing, Opaque, Part
from .pictures import any_color, clock_face, picture, rings
from .plates import Item
from .solids import cylinder, round_item
from .textures import srgb

#: Kinds of picture for the tops of discs and the contents of crockery.
FACE = ('rings', 'rings', 'plain', 'marble', 'blobs', 'cover', 'dots', 'gradient')


def crockery(rng: np.random.Generator) -> Item:
    """A ceramic or plastic plate, saucer or bowl."""
    radius = rng.uniform(40, 130)
    height = radius * float(rng.choice([rng.uniform(0.12, 0.25), rng.uniform(0.5, 0.9)]))
    foot, thick = 0.55 * radius, 3.0
    profile = [
        (radius, 0.0), (radius - foot, 0.0), (0.6 * (radius - foot), 0.35 * height),
        *arc((0.5 * thick, height), 0.5 * thick, -90, 180, steps=6)[1:],
        (0.6 * (radius - foot) + thick, 0.4 * height + thick), (radius - foot + thick, thick),
        (radius, thick),
    ]  # fmt: skip
    color = srgb(238, 236, 230) if rng.random() < 0.5 else any_color(rng)
    parts = [Part(loft(Outline.circle(2 * radius), profile), Opaque(color, 'coated', 0.12))]
    if rng.random() < 0.4:
        filled = Outline.circle(1.9 * foot).polygon()
        parts.append(Part(sheet(filled, thick + 0.3), Opaque(picture(rng, 128, FACE), 'coated')))
    return round_item(parts, radius, height + 3, 'crockery', transparent=False)


def disc(rng: np.random.Generator) -> Item:
    """A flat round object: a coin, coaster, dial, lid, weight or filter paper."""
    radius = float(np.exp(rng.uniform(np.log(8), np.log(70))))
    height = float(rng.choice([0.5, rng.uniform(1, 6), rng.uniform(6, 22)]))
    face = clock_face(rng, 192) if rng.random() < 0.2 else picture(rng, 192, FACE)
    finish = ['matte', 'coated', 'metal'][rng.integers(3)]
    if finish == 'metal':
        face = 0.3 + 0.6 * face.mean(axis=2, keepdims=True).repeat(3, axis=2)
    outline = Outline.circle(2 * radius)
    edge = min(0.4 * height, 1.0)
    profile = [(radius, 0), (0, 0), *arc((edge, height - edge), edge, 0, 90)]
    side = Opaque(any_color(rng), finish, rng.uniform(0.1, 0.4))
    parts = [
        Part(loft(outline, profile), side),
        Part(sheet(outline.polygon(edge), height), Opaque(face, finish, rng.uniform(0.1, 0.4))),
    ]
    return round_item(parts, radius, height, 'disc', transparent=False)


def jar_lid(rng: np.random.Generator) -> Item:
    """A screw lid, deeper than a dish, lying on its top or its rim."""
    radius = rng.uniform(18, 55)
    height, wall = rng.uniform(10, 24), rng.uniform(1.2, 3.0)
    material = Opaque(any_color(rng), *[('coated', 0.25), ('metal', 0.3)][rng.integers(2)])
    outline = Outline.circle(2 * radius)
    if rng.random() < 0.5:
        profile = [(radius, 0), (0, 0), (0, height), (wall, height), (wall, wall), (radius, wall)]
        parts = [Part(loft(outline, profile), material)]
    else:
        parts = [cylinder(radius, height, 0.0, material)]
    return round_item(parts, radius, height, 'jar lid', transparent=False)


def bucket(rng: np.random.Generator) -> Item:
    """An opaque mug, can, plastic beaker or bin, empty or filled."""
    radius = rng.uniform(25, 60)
    height = radius * rng.uniform(1.0, 2.2)
    profile = [(radius, 0), (3, 0), (0, height), (2.0, height), (5, 4), (radius, 4)]
    parts = [Part(loft(Outline.circle(2 * radius), profile), Opaque(any_color(rng), 'coated', 0.2))]
    if rng.random() < 0.6:
        level = rng.uniform(0.4, 0.9) * height
        top = Outline.circle(2 * radius - 12).polygon()
        parts.append(Part(sheet(top, level), Opaque(any_color(rng), 'coated', 0.05)))
    return round_item(parts, radius, height, 'bucket', transparent=False)


def light_disc(rng: np.random.Generator) -> Item:
    """A small lamp or indicator light."""
    radius, height = rng.uniform(5, 40), rng.uniform(3, 30)
    outline = Outline.circle(2 * radius)
    glow = tuple(rng.uniform(0.5, 3.0) * np.asarray(any_color(rng)))
    parts = [
        cylinder(radius + 2, height, 0.0, Opaque(any_color(rng), 'coated', 0.3)),
        Part(sheet(outline.polygon(), height + 0.2), Glowing(glow)),
    ]
    return round_item(parts, radius + 2, height + 1, 'light', transparent=False)


def drinking_glass(rng: np.random.Generator) -> Item:
    """A tumbler, empty or with a liquid."""
    radius, height = rng.uniform(26, 42), rng.uniform(70, 150)
    waist = radius * rng.uniform(0.65, 1.0)
    profile = [(waist - 2, 0), (waist, 3), (radius, height)]
    fill = float(rng.choice([0.0, rng.uniform(0.2, 0.85)])) * height
    parts = vessel(profile, rng.uniform(1.8, 3.5), 'soda_lime_glass', fill, liquid(rng))
    return round_item(parts, radius, height, 'drinking glass')


def glass_bowl(rng: np.random.Generator) -> Item:
    """A glass bowl or crystallizing dish, at least as high as its radius."""
    radius = rng.uniform(35, 75)
    height = radius * rng.uniform(1.0, 1.4)
    foot = radius * rng.uniform(0.5, 0.95)
    profile = [(foot - 3, 0), (foot, 4), (0.5 * (foot + radius), 0.4 * height), (radius, height)]
    fill = float(rng.choice([0.0, rng.uniform(0.3, 0.8)])) * height
    parts = vessel(profile, 2.2, 'soda_lime_glass', fill, liquid(rng))
    return round_item(parts, radius, height, 'glass bowl')


def jar(rng: np.random.Generator) -> Item:
    """A wide jar, with or without a screw lid, empty or with a liquid."""
    radius, height = rng.uniform(25, 45), rng.uniform(50, 110)
    neck = 0.85 * radius
    profile = [(radius - 3, 0), (radius, 4), (radius, 0.8 * height), (neck, 0.88 * height),
               (neck, height)]  # fmt: skip
    parts = vessel(profile, 2.2, 'soda_lime_glass', rng.uniform(0, 0.7) * height, liquid(rng))
    if rng.random() < 0.7:
        parts.append(cylinder(neck + 3, 14.0, height - 2 + 4, plain_lid(rng)))
    return round_item(parts, radius, height + 18, 'jar')


def plain_lid(rng: np.random.Generator) -> Opaque:
    """Material of a jar's lid: metal or colored plastic."""
    if rng.random() < 0.3:
        return Opaque((0.7, 0.68, 0.62), 'metal', 0.25)
    return Opaque(rings(rng, 64)[0, 0].tolist(), 'coated', 0.25)


TABLEWARE: dict[str, Callable[[np.random.Generator], Item]] = {
    'crockery': crockery,
    'disc': disc,
    'jar_lid': jar_lid,
    'bucket': bucket,
    'light_disc': light_disc,
}
"""Functions that draw an opaque round object at random, by its name in specs."""

GLASSES: dict[str, Callable[[np.random.Generator], Item]] = {
    'drinking_glass': drinking_glass,
    'glass_bowl': glass_bowl,
    'jar': jar,
}
"""Functions that draw a transparent round object at random, by its name in specs."""
