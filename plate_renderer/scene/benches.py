"""Bench tops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from shapely.geometry import box

from ..geometry.shapes import sheet
from ..geometry.transforms import rotation_z
from ..objects.materials import Glowing, Opaque, Part
from ..objects.pictures import picture
from ..objects.textures import cloth, noise, ruled, srgb, tinted, wood

Z = -0.1
"""Height of the bench top in millimeters: plates stand on z = 0 and must not touch it."""
SIZE = 768
"""Side of the textures in pixels."""
TILE = 420.0
"""Side of the area that a texture covers before it repeats, in millimeters."""
HALF_LENGTH, HALF_DEPTH = 1100.0, 700.0
"""Half of the bench's size in millimeters."""


@dataclass(frozen=True)
class Bench:
    """A bench top.

    Args:
        parts: The top, and a sheet of paper on it or a wall behind it, if any.
        label: Description in annotations, starting with its kind.
    """

    parts: tuple[Part, ...]
    label: str


def steel(rng: np.random.Generator) -> Opaque:
    """Brushed stainless steel."""
    lines = noise(rng, SIZE, (SIZE / 2, 6), 2)
    stains = noise(rng, SIZE, (4, 4), 4)
    return Opaque(
        tinted(0.7 * lines + 0.3 * stains, (0.38, 0.38, 0.38), (0.62, 0.61, 0.6)),
        'metal',
        rng.uniform(0.12, 0.3),
        stretch=rng.uniform(1.5, 3.0),
    )


def laminate(rng: np.random.Generator) -> Opaque:
    """White or pale gray laminate with faint speckles."""
    shade = rng.uniform(0.55, 0.85)
    warm = rng.uniform(0.93, 1.0)
    speckle = (rng.random((SIZE, SIZE)) < 0.02) * 0.12 + 0.04 * noise(rng, SIZE, (5, 5), 5)
    color = shade * (1 - speckle)[..., None] * np.array([1.0, (1 + warm) / 2, warm])
    return Opaque(color, 'coated', rng.uniform(0.1, 0.35))


def resin(rng: np.random.Generator) -> Opaque:
    """Black epoxy resin with smears, as on most chemistry benches."""
    smears = noise(rng, SIZE, (6, 3), 6)
    return Opaque(
        tinted(smears, srgb(22, 22, 24), srgb(44, 44, 46)), 'coated', rng.uniform(0.15, 0.4)
    )


def paper(rng: np.random.Generator) -> Opaque:
    """Matte paper or bench cover."""
    grain = 0.7 * noise(rng, SIZE, (60, 60), 3) + 0.3 * noise(rng, SIZE, (3, 3), 2)
    light = np.array(srgb(*(rng.uniform(205, 246) * np.array([1, rng.uniform(0.97, 1), 0.96]))))
    return Opaque(tinted(grain, tuple(0.88 * light), tuple(light)))


def wooden(rng: np.random.Generator) -> Opaque:
    """Varnished wood."""
    pairs = [
        (srgb(96, 58, 32), srgb(150, 100, 60)),
        (srgb(168, 124, 78), srgb(214, 176, 126)),
        (srgb(52, 22, 18), srgb(92, 40, 30)),
    ]
    dark, light = pairs[rng.integers(len(pairs))]
    return Opaque(wood(rng, SIZE, dark, light), 'coated', rng.uniform(0.15, 0.4))


def printed_grid(rng: np.random.Generator) -> Opaque:
    """Graph paper or a cutting mat."""
    kinds = [
        (srgb(244, 244, 240), srgb(120, 160, 200)),
        (srgb(24, 92, 70), srgb(190, 205, 160)),
        (srgb(40, 44, 52), srgb(150, 150, 150)),
        (srgb(240, 240, 240), srgb(30, 30, 30)),
    ]
    sheet_color, ink = kinds[rng.integers(len(kinds))]
    cells = int(rng.choice([21, 42, 84]))
    return Opaque(ruled(SIZE, cells, sheet_color, ink), 'coated', 0.45)


def dark_cloth(rng: np.random.Generator) -> Opaque:
    """Black cloth with lint, a common background for photographs of colonies."""
    return Opaque(cloth(rng, SIZE, srgb(*[rng.uniform(22, 46)] * 3)))


def colored_cloth(rng: np.random.Generator) -> Opaque:
    """Colored cloth or absorbent pad."""
    return Opaque(cloth(rng, SIZE, srgb(*rng.uniform(60, 220, 3))))


def lightbox(rng: np.random.Generator) -> Glowing:
    """A uniform transilluminator."""
    level = rng.uniform(0.8, 1.6)
    return Glowing((level, level * rng.uniform(0.96, 1.0), level * rng.uniform(0.9, 1.05)))


def printed(rng: np.random.Generator) -> Opaque:
    """Any procedural picture with any finish, for variety rather than realism."""
    finish = ['matte', 'coated', 'coated', 'metal'][rng.integers(4)]
    return Opaque(picture(rng, SIZE), finish, rng.uniform(0.12, 0.5))


def white(rng: np.random.Generator) -> Glowing:
    """A uniform white background without shadows, such as a scanner's lid."""
    level = rng.uniform(1.5, 4.0)
    return Glowing((level, level, level))


def black(rng: np.random.Generator) -> Opaque:
    """A black background without visible structure, such as velvet or an open scanner."""
    return Opaque((rng.uniform(0.0, 0.006),) * 3)


BENCHES: dict[str, Callable[[np.random.Generator], Opaque | Glowing]] = {
    'steel': steel,
    'laminate': laminate,
    'resin': resin,
    'paper': paper,
    'wood': wooden,
    'printed_grid': printed_grid,
    'dark_cloth': dark_cloth,
    'colored_cloth': colored_cloth,
    'lightbox': lightbox,
    'printed': printed,
    'white': white,
    'black': black,
}
"""Functions that draw a bench top's material at random, by its name in specs."""


def make_bench(kind: str, rng: np.random.Generator) -> Bench:
    """Make a bench top, with a sheet of paper on it in one of five cases.

    Args:
        kind: One of `BENCHES`.
        rng: Random generator.

    Returns:
        The bench, just below z = 0.

    Example:
        >>> make_bench('lightbox', np.random.default_rng(0)).label
        'lightbox'
    """
    turn = rng.uniform(0, 2 * np.pi)
    if kind in ('lightbox', 'white'):
        return Bench((_level(HALF_LENGTH, HALF_DEPTH, Z, 0.0, (0, 0), BENCHES[kind](rng)),), kind)
    top = _level(HALF_LENGTH, HALF_DEPTH, Z, turn * 0.1, (0, 0), BENCHES[kind](rng))
    if kind in ('dark_cloth', 'colored_cloth', 'paper', 'black') or rng.random() > 0.2:
        return Bench((top,), kind)
    # A4 paper, below z = 0, so that plates do not intersect it.
    shift = rng.uniform(-80, 80, 2)
    a4 = _level(148.5, 105.0, Z + 0.04, turn, shift, paper(rng))
    return Bench((top, a4), f'{kind} with paper')


def _level(
    half_length: float,
    half_depth: float,
    z: float,
    turn: float,
    shift: tuple[float, float] | np.ndarray,
    material: Opaque | Glowing,
) -> Part:
    """A horizontal rectangle whose texture repeats every `TILE` millimeters."""
    mesh = sheet(box(-half_length, -half_depth, half_length, half_depth), z, (0.0, 0.0, TILE, TILE))
    move = rotation_z(turn)
    move[:2, 3] = shift
    return Part(mesh.transformed(move), material)
