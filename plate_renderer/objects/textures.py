"""Procedural textures: noise, wood, cloth, printed grids and lettering.

Textures are float arrays in [0, 1], top row first; colors are linear RGB.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .materials import Color

FONTS = (
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
"""Stroke fonts, which look like a marker's writing if they are thick and distorted."""


def srgb(red: float, green: float, blue: float) -> Color:
    """Convert a color from sRGB, in [0, 255], to linear RGB in [0, 1].

    Example:
        >>> [round(value, 3) for value in srgb(255, 188, 0)]
        [1.0, 0.503, 0.0]
    """
    value = np.array([red, green, blue]) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return tuple(linear.tolist())


def noise(
    rng: np.random.Generator, size: int, scale: Sequence[float] = (8, 8), octaves: int = 5
) -> np.ndarray:
    """Fractal value noise.

    Args:
        rng: Random generator.
        size: Side in pixels.
        scale: Number of random values of the coarsest octave along columns and rows.
        octaves: Number of octaves, each with twice the frequency and half the amplitude of the one
            before.

    Returns:
        Noise, scaled to [0, 1], float64 of shape (size, size).

    Example:
        >>> values = noise(np.random.default_rng(0), 64)
        >>> values.shape, float(values.min()), float(values.max())
        ((64, 64), 0.0, 1.0)
    """
    total = np.zeros((size, size))
    for octave in range(octaves):
        rows, columns = (int(np.clip(s * 2**octave, 2, size)) for s in scale)
        grid = rng.random((rows, columns))
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) / 2**octave
    return (total - total.min()) / np.ptp(total)


def tinted(value: np.ndarray, dark: Color, light: Color) -> np.ndarray:
    """Interpolate between two colors.

    Args:
        value: Weight of `light`, float of shape (h, w).
        dark: Color where the weight is 0, linear RGB.
        light: Color where the weight is 1, linear RGB.

    Returns:
        Linear RGB, float of shape (h, w, 3).
    """
    return np.asarray(dark) + value[..., None] * (np.asarray(light) - np.asarray(dark))


def wood(rng: np.random.Generator, size: int, dark: Color, light: Color) -> np.ndarray:
    """Wooden boards: growth rings, pores, and seams between boards, of shape (size, size, 3)."""
    rows = np.linspace(0, 1, size)[:, None]
    bend = noise(rng, size, (3, 1), 3)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(6, 14) * rows + 2.5 * bend))
    pores = noise(rng, size, (size / 3, 6), 1)
    value = np.clip(0.55 * rings + 0.3 * noise(rng, size, (60, 3), 3) + 0.25 * pores - 0.1, 0, 1)
    boards = tinted(value, dark, light)
    for seam in range(0, size, size // int(rng.integers(2, 5))):
        boards[seam : seam + 2] *= 0.35
    return boards


def cloth(rng: np.random.Generator, size: int, color: Color) -> np.ndarray:
    """Woven cloth: threads, shading of folds, and bright lint, of shape (size, size, 3)."""
    step = 2 * np.pi * np.arange(size) / 4
    threads = 0.75 + 0.25 * np.sin(step)[:, None] * np.sin(step)[None, :]
    folds = 0.7 + 0.3 * noise(rng, size, (3, 3), 4)
    value = threads * folds * (0.8 + 0.2 * rng.random((size, size)))
    image = value[..., None] * np.asarray(color)
    lint = np.asarray(color) + rng.uniform(0.02, 0.12)
    for _ in range(int(rng.integers(5, 60))):
        start = rng.uniform(0, size, 2)
        stop = start + rng.normal(0, 2.5, 2)
        points = np.array([start, stop]).astype(np.int32)
        cv2.polylines(image, [points], False, tuple(lint), 1, cv2.LINE_AA)
    return image


def ruled(
    size: int, cells: int, paper: Color, ink: Color, width: int = 1, bold_every: int = 5
) -> np.ndarray:
    """Printed square grid, of shape (size, size, 3).

    Args:
        size: Side in pixels.
        cells: Number of cells along each side.
        paper: Color between the lines, linear RGB.
        ink: Color of the lines, linear RGB.
        width: Width of a line in pixels.
        bold_every: Every so many lines, one is twice as wide.
    """
    image = np.ones((size, size, 3)) * np.asarray(paper)
    for k in range(cells):
        at = round(k * size / cells)
        thick = width * (2 if k % bold_every == 0 else 1)
        image[at : at + thick, :] = ink
        image[:, at : at + thick] = ink
    return image


def lettering(
    rng: np.random.Generator,
    lines: Sequence[str],
    shape: tuple[int, int],
    thickness: float = 0.09,
    wobble: float = 0.02,
) -> np.ndarray:
    """Draw lines of handwriting.

    Args:
        rng: Random generator.
        lines: Lines of ASCII text, from top to bottom.
        shape: Height and width of the texture in pixels.
        thickness: Width of a stroke, relative to the height of a line.
        wobble: Amplitude of the distortion, relative to the height of a line.

    Returns:
        Opacity of the ink in [0, 1], float64 of `shape`.
    """
    height, width = shape
    ink = np.zeros(shape, np.uint8)
    font = FONTS[int(rng.integers(len(FONTS)))]
    pitch = height / len(lines)
    stroke = max(1, round(thickness * pitch))
    for k, text in enumerate(lines):
        (w, h), _ = cv2.getTextSize(text, font, 1.0, stroke)
        scale = min(0.9 * width / max(w, 1), 0.55 * pitch / h)
        left = (width - scale * w) * rng.uniform(0.1, 0.9)
        base = (k + 0.75) * pitch
        cv2.putText(ink, text, (int(left), int(base)), font, scale, 255, stroke, cv2.LINE_AA)
    shift = [wobble * pitch * 2 * (noise(rng, max(shape), (5, 5), 2) - 0.5) for _ in range(2)]
    rows, columns = np.mgrid[:height, :width]
    map_x = (columns + 2 * shift[0][:height, :width]).astype(np.float32)
    map_y = (rows + 2 * shift[1][:height, :width]).astype(np.float32)
    return cv2.remap(ink, map_x, map_y, cv2.INTER_LINEAR) / 255.0
