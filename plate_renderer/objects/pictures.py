"""Procedural pictures for table tops, walls, screens, covers and paper.

The functions take a random generator and the side in pixels, and return linear RGB in [0, 1],
float64 of shape (size, size, 3). Their variety of grids and circles teaches detectors that neither
makes a plate.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import cv2
import numpy as np

from .materials import Color
from .textures import lettering, noise, srgb, tinted

WORDS = ('lab', 'sample', 'control', 'temp', 'run', 'data', 'agar', 'buffer', 'log', 'file', 'view',
         '37 C', '10 mL', 'pH 7', 'edit', 'OK', '2024', 'mean', 'total', 'help')  # fmt: skip


def any_color(rng: np.random.Generator) -> Color:
    """A random color, linear RGB: gray with a probability of 0.4, otherwise of any hue."""
    if rng.random() < 0.4:
        return srgb(*(rng.uniform(5, 250) + rng.uniform(-6, 6, 3)).clip(0, 255))
    hue, saturation, value = rng.random(), rng.uniform(0.1, 1.0), rng.uniform(0.15, 1.0)
    return srgb(*(255 * np.array(colorsys.hsv_to_rgb(hue, saturation, value))))


def plain(rng: np.random.Generator, size: int) -> np.ndarray:
    """A single color with faint noise."""
    grain = rng.uniform(0, 0.08) * noise(rng, size, (20, 20), 3)
    return np.asarray(any_color(rng)) * (1 - grain[..., None])


def gradient(rng: np.random.Generator, size: int) -> np.ndarray:
    """A linear gradient between two colors."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    value = 0.5 + 0.35 * (np.cos(angle) * x + np.sin(angle) * y)
    return tinted(value, any_color(rng), any_color(rng))


def marble(rng: np.random.Generator, size: int) -> np.ndarray:
    """Fractal noise between two colors, like clouds or granite."""
    scale = float(np.exp(rng.uniform(np.log(2), np.log(80))))
    value = noise(rng, size, (scale, scale * rng.uniform(0.3, 3)), int(rng.integers(2, 6)))
    if rng.random() < 0.4:
        value = 0.5 + 0.5 * np.sin(rng.uniform(4, 30) * value)
    return tinted(value, any_color(rng), any_color(rng))


def stripes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Stripes of any width and direction, or crossed stripes."""
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    value = np.zeros((size, size))
    start, count = rng.uniform(0, np.pi), int(rng.integers(1, 3))
    waves = float(np.exp(rng.uniform(np.log(3), np.log(40))))
    for k in range(count):
        angle = start + k * np.pi / 2
        phase = waves * (np.cos(angle) * x + np.sin(angle) * y)
        value += (phase % 1.0 < rng.uniform(0.2, 0.8)) / count
    return tinted(value, any_color(rng), any_color(rng))


def tiles(rng: np.random.Generator, size: int) -> np.ndarray:
    """Tiles or bricks: cells of slightly different color with seams between them."""
    columns, rows = rng.integers(2, 14, 2)
    if rng.random() < 0.5:
        rows = columns
    shades = rng.uniform(1 - rng.uniform(0, 0.5), 1, (rows, columns))
    image = cv2.resize(shades, (size, size), interpolation=cv2.INTER_NEAREST)[..., None]
    image = image * np.asarray(any_color(rng))
    seam, width = any_color(rng), max(1, int(size * rng.uniform(0.003, 0.02)))
    for row in range(rows):
        y = row * size // rows
        image[y : y + width] = seam
        shift = (row % 2) * size // columns // 2 if rng.random() < 0.5 else 0
        for column in range(columns):
            x = column * size // columns + shift
            image[y : y + size // rows, x : x + width] = seam
    return image


def blobs(rng: np.random.Generator, size: int) -> np.ndarray:
    """Overlapping ellipses and rectangles, filled or as outlines."""
    image = np.ascontiguousarray(np.ones((size, size, 3)) * np.asarray(any_color(rng)))
    for _ in range(int(rng.integers(3, 40))):
        center = rng.integers(0, size, 2).tolist()
        axes = (size * np.exp(rng.uniform(np.log(0.01), np.log(0.3), 2))).astype(int)
        thick = -1 if rng.random() < 0.6 else int(rng.integers(1, 8))
        color = any_color(rng)
        if rng.random() < 0.5:
            if rng.random() < 0.5:
                axes[1] = axes[0]
            turn = float(rng.uniform(0, 180))
            cv2.ellipse(image, center, axes.tolist(), turn, 0, 360, color, thick)
        else:
            low, high = np.array(center) - axes, np.array(center) + axes
            cv2.rectangle(image, low.tolist(), high.tolist(), color, thick)
    return image


def rings(rng: np.random.Generator, size: int) -> np.ndarray:
    """Concentric circles, as on coasters, targets and dials."""
    image = np.ascontiguousarray(np.ones((size, size, 3)) * np.asarray(any_color(rng)))
    middle = (size // 2, size // 2)
    for radius in np.sort(rng.uniform(0.03, 0.5, int(rng.integers(1, 7))))[::-1]:
        thick = -1 if rng.random() < 0.5 else int(rng.integers(1, 1 + size // 30))
        cv2.circle(image, middle, int(radius * size), any_color(rng), thick)
    return image


def clock_face(rng: np.random.Generator, size: int) -> np.ndarray:
    """A dial with ticks and two hands."""
    paper, ink = (srgb(240, 240, 236), srgb(20, 20, 22))[:: rng.choice([-1, 1])]
    image = np.ascontiguousarray(np.ones((size, size, 3)) * np.asarray(paper))
    middle = np.array([size / 2, size / 2])
    count = int(rng.choice([12, 60]))
    for k in range(count):
        angle = 2 * np.pi * k / count
        out = np.array([np.cos(angle), np.sin(angle)])
        low, high = middle + 0.4 * size * out, middle + 0.46 * size * out
        cv2.line(image, low.astype(int).tolist(), high.astype(int).tolist(), ink, size // 80 + 1)
    for length in (0.22, 0.36):
        angle = rng.uniform(0, 2 * np.pi)
        tip = middle + length * size * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(image, middle.astype(int).tolist(), tip.astype(int).tolist(), ink, size // 50 + 1)
    return image


def dots(rng: np.random.Generator, size: int) -> np.ndarray:
    """A grid of circles or squares in a few colors, as in perforated sheets, charts and keypads."""
    columns = int(rng.integers(3, 25))
    rows = int(rng.integers(3, 25)) if rng.random() < 0.5 else columns
    image = np.ascontiguousarray(np.ones((size, size, 3)) * np.asarray(any_color(rng)))
    palette = [any_color(rng) for _ in range(int(rng.integers(1, 5)))]
    thick = -1 if rng.random() < 0.7 else 1 + size // 250
    radius = int(rng.uniform(0.2, 0.48) * size / max(rows, columns))
    square = rng.random() < 0.3
    for y in (np.arange(rows) + 0.5) * size / rows:
        for x in (np.arange(columns) + 0.5) * size / columns:
            color = palette[rng.integers(len(palette))]
            at = np.array([x, y])
            if square:
                low, high = (at - radius).astype(int).tolist(), (at + radius).astype(int).tolist()
                cv2.rectangle(image, low, high, color, thick)
            else:
                cv2.circle(image, at.astype(int).tolist(), max(radius, 1), color, thick)
    return image


def page(rng: np.random.Generator, size: int) -> np.ndarray:
    """A printed page with lines of text and figures."""
    image = np.ones((size, size, 3)) * np.asarray(srgb(*rng.uniform(225, 250, 1).repeat(3)))
    margin, line = size // 16, max(3, int(size * rng.uniform(0.012, 0.03)))
    for y in range(margin, size - margin, 2 * line):
        ink = rng.random(size) < 0.75
        ink = cv2.dilate(cv2.erode(ink.astype(np.uint8)[None], np.ones((1, 2))), np.ones((1, 3)))[0]
        ink[:margin] = ink[int(size * rng.uniform(0.5, 0.95)) :] = 0
        image[y : y + line, ink > 0] *= rng.uniform(0.1, 0.4)
    for _ in range(int(rng.integers(0, 3))):
        side = int(size * rng.uniform(0.2, 0.45))
        y, x = rng.integers(0, size - side, 2)
        inset = [dots, rings, blobs, chart, marble][rng.integers(5)]
        image[y : y + side, x : x + side] = inset(rng, side)
    return image


def chart(rng: np.random.Generator, size: int) -> np.ndarray:
    """A plot with a grid and curves."""
    paper, ink = (srgb(245, 245, 245), srgb(25, 25, 30))[:: rng.choice([-1, 1])]
    image = np.ascontiguousarray(np.ones((size, size, 3)) * np.asarray(paper))
    faint = tuple(0.7 * np.asarray(paper) + 0.3 * np.asarray(ink))
    for at in np.linspace(0.1, 0.9, int(rng.integers(4, 12))) * size:
        cv2.line(image, (int(0.1 * size), int(at)), (int(0.9 * size), int(at)), faint, 1)
        cv2.line(image, (int(at), int(0.1 * size)), (int(at), int(0.9 * size)), faint, 1)
    for _ in range(int(rng.integers(1, 5))):
        x = np.linspace(0.1, 0.9, 40)
        y = 0.5 + np.cumsum(rng.normal(0, 0.04, 40))
        points = (np.stack([x, y.clip(0.1, 0.9)], axis=1) * size).astype(np.int32)
        cv2.polylines(image, [points], False, any_color(rng), 1 + size // 150)
    return image


def windows(rng: np.random.Generator, size: int) -> np.ndarray:
    """A computer screen: windows with title bars, text, plots and pictures."""
    image = np.ascontiguousarray(gradient(rng, size))
    bar = max(4, size // 24)
    for _ in range(int(rng.integers(1, 5))):
        w, h = (size * rng.uniform(0.35, 0.95, 2)).astype(int)
        x, y = int(rng.integers(0, size - w + 1)), int(rng.integers(0, size - h + 1))
        if min(w, h - bar) < 16:
            continue
        content = [page, chart, dots, tiles, blobs, rings, marble][rng.integers(7)]
        side = max(w, h)
        image[y : y + h, x : x + w] = content(rng, side)[:h, :w]
        image[y : y + bar, x : x + w] = any_color(rng)
    image[-bar:] = any_color(rng)
    return image


def cover(rng: np.random.Generator, size: int) -> np.ndarray:
    """A printed cover or box top with a band and large words."""
    image = np.ones((size, size, 3)) * np.asarray(any_color(rng))
    start = int(rng.integers(0, size // 2))
    image[start : start + int(rng.integers(size // 12, size // 3))] = any_color(rng)
    if rng.random() < 0.4:
        side = size // 2
        y, x = rng.integers(0, size - side, 2)
        image[y : y + side, x : x + side] = [rings, dots, blobs][rng.integers(3)](rng, side)
    words = [str(rng.choice(WORDS)).upper() for _ in range(int(rng.integers(1, 4)))]
    ink = lettering(rng, words, (size, size), rng.uniform(0.05, 0.14), 0.0)[..., None]
    return image * (1 - ink) + np.asarray(any_color(rng)) * ink


def halves(rng: np.random.Generator, size: int) -> np.ndarray:
    """Two or three areas of different color, as where paper covers a part of a bench."""
    image = plain(rng, size)
    for _ in range(int(rng.integers(1, 3))):
        cut = int(rng.uniform(0.2, 0.8) * size)
        if rng.random() < 0.5:
            image[cut:] = any_color(rng)
        else:
            image[:, cut:] = any_color(rng)
    return image


PICTURES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    'plain': plain,
    'gradient': gradient,
    'marble': marble,
    'stripes': stripes,
    'tiles': tiles,
    'blobs': blobs,
    'rings': rings,
    'dots': dots,
    'page': page,
    'chart': chart,
    'windows': windows,
    'cover': cover,
    'halves': halves,
}
"""Pictures by name."""

GROUNDS = ('plain', 'plain', 'plain', 'gradient', 'marble', 'marble', 'stripes', 'tiles', 'blobs',
           'page', 'halves', 'cover', 'dots')  # fmt: skip
"""Kinds of picture for table tops; repeated ones are drawn more often."""


def picture(rng: np.random.Generator, size: int, kinds: tuple[str, ...] = GROUNDS) -> np.ndarray:
    """Draw a random kind of picture.

    Args:
        rng: Random generator.
        size: Side in pixels.
        kinds: Names in `PICTURES`; repeated ones are drawn more often.

    Returns:
        Linear RGB in [0, 1], float64 of shape (size, size, 3).

    Example:
        >>> picture(np.random.default_rng(0), 64, ('stripes', 'dots')).shape
        (64, 64, 3)
    """
    return PICTURES[kinds[rng.integers(len(kinds))]](rng, size)
