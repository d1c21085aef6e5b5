"""Lights of laboratories: windows, tube lights, ring lights, desk lamps, and the room.

Every light is a surface of finite size and distance, which reflections and caustics depend on. The
room (walls, ceiling, furniture) is an environment map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from shapely.geometry import Point, box

from ..geometry.camera import Camera
from ..geometry.shapes import sheet
from ..geometry.transforms import rotation_z
from ..objects.materials import Glowing, Part
from ..objects.textures import srgb


@dataclass(frozen=True, eq=False)
class Lighting:
    """Lights of a scene and the room around it.

    Args:
        parts: Light-emitting surfaces.
        room: Environment map, linear RGB radiance, float64 of shape (128, 256, 3): rows from zenith
            to nadir, columns around the horizon.
        label: Kinds of light, joined by plus signs.
    """

    parts: tuple[Part, ...]
    room: np.ndarray
    label: str


def facing(center: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rigid transformation that moves the origin to `center` and +z towards `target`.

    Args:
        center: World point in millimeters, float64 of shape (3,).
        target: World point in millimeters, float64 of shape (3,).

    Returns:
        Matrix, float64 of shape (4, 4).
    """
    forward = np.asarray(target, float) - center
    forward /= np.linalg.norm(forward)
    aside = np.cross([0.0, 0.0, 1.0], forward)
    if np.linalg.norm(aside) < 1e-6:
        aside = np.array([1.0, 0.0, 0.0])
    aside /= np.linalg.norm(aside)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([aside, np.cross(forward, aside), forward], axis=1)
    matrix[:3, 3] = center
    return matrix


def white(rng: np.random.Generator, warm: float, cool: float) -> np.ndarray:
    """Sample the color of a white light.

    Args:
        rng: Random generator.
        warm: Largest ratio of red to blue.
        cool: Smallest ratio of red to blue.

    Returns:
        Linear RGB with a mean of 1, float64 of shape (3,).
    """
    balance = rng.uniform(cool, warm)
    color = np.array([np.sqrt(balance), 1.0, 1 / np.sqrt(balance)])
    return color / color.mean()


def tubes(rng: np.random.Generator) -> list[Part]:
    """One to three ceiling lights with two tubes each."""
    height = rng.uniform(1300, 1900)
    turn = rng.uniform(0, np.pi)
    across = np.array([-np.sin(turn), np.cos(turn), 0.0])
    color = white(rng, 1.1, 0.85) * rng.uniform(7, 12)
    tube = sheet(box(-600, -70, 600, 70), 0.0)
    start = rng.uniform(-700, 300)
    parts = []
    for trough in range(int(rng.integers(1, 4))):
        for side in (-90, 90):
            center = across * (start + 900 * trough + side) + [0, 0, height]
            move = facing(center, center - [0.0, 0.0, 1.0])
            tube_mesh = tube.transformed(move @ rotation_z(-turn))
            parts.append(Part(tube_mesh, Glowing(tuple(color))))
    return parts


def window(rng: np.random.Generator) -> list[Part]:
    """A window with two to four panes on one side."""
    turn = rng.uniform(0, 2 * np.pi)
    away = rng.uniform(1200, 2200)
    out = np.array([np.cos(turn), np.sin(turn), 0.0])
    color = white(rng, 1.0, 0.75) * rng.uniform(4, 8)
    columns, rows = int(rng.integers(1, 3)), 2
    width, height = rng.uniform(420, 620), rng.uniform(420, 620)
    parts = []
    for column in range(columns):
        for row in range(rows):
            x = (column - (columns - 1) / 2) * (width + 60)
            center = out * away + [-out[1] * x, out[0] * x, 450 + row * (height + 60)]
            pane = sheet(box(-width / 2, -height / 2, width / 2, height / 2), 0.0)
            move = facing(center, center - out)
            parts.append(Part(pane.transformed(move), Glowing(tuple(color))))
    return parts


def ceiling_panel(rng: np.random.Generator) -> list[Part]:
    """Square LED panels in a suspended ceiling."""
    height = rng.uniform(1400, 2000)
    color = white(rng, 1.1, 0.9) * rng.uniform(5, 9)
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        center = np.array([*rng.uniform(-900, 900, 2), height])
        panel = sheet(box(-300, -300, 300, 300), 0.0)
        parts.append(
            Part(panel.transformed(facing(center, center - [0, 0, 1])), Glowing(tuple(color)))
        )
    return parts


def lamp(rng: np.random.Generator) -> list[Part]:
    """The round diffuser of a desk lamp on one side."""
    turn, height = rng.uniform(0, 2 * np.pi), rng.uniform(350, 650)
    away = rng.uniform(250, 550)
    center = np.array([away * np.cos(turn), away * np.sin(turn), height])
    radius = rng.uniform(70, 120)
    color = white(rng, 1.4, 0.95) * rng.uniform(6, 10) * (90 / radius) ** 2
    disc = sheet(Point(0, 0).buffer(radius), 0.0)
    return [Part(disc.transformed(facing(center, np.zeros(3))), Glowing(tuple(color)))]


def ring(rng: np.random.Generator, camera: Camera) -> list[Part]:
    """A ring light around the lens.

    Args:
        rng: Random generator.
        camera: The camera.
    """
    radius = rng.uniform(90, 180)
    annulus = Point(0, 0).buffer(radius).difference(Point(0, 0).buffer(radius * 0.72))
    color = white(rng, 1.15, 0.85) * rng.uniform(8, 14)
    lens = np.asarray(camera.origin)
    forward = (np.asarray(camera.target) - lens) / np.linalg.norm(np.subtract(camera.target, lens))
    # Behind the lens, so that the image shows its reflections and not the light itself.
    center = lens - rng.uniform(5, 30) * forward
    return [Part(sheet(annulus, 0.0).transformed(facing(center, center + forward)),
                 Glowing(tuple(color)))]  # fmt: skip


def softboxes(rng: np.random.Generator) -> list[Part]:
    """Two diffusers on opposite sides, as in a photo box."""
    turn = rng.uniform(0, np.pi)
    out = np.array([np.cos(turn), np.sin(turn), 0.0])
    color = white(rng, 1.1, 0.85) * rng.uniform(4, 7)
    diffuser = sheet(box(-200, -120, 200, 120), 0.0)
    parts = []
    for side in (-1, 1):
        center = side * out * rng.uniform(450, 650) + [0, 0, rng.uniform(220, 420)]
        parts.append(Part(diffuser.transformed(facing(center, np.zeros(3))), Glowing(tuple(color))))
    return parts


def ultraviolet(rng: np.random.Generator) -> list[Part]:
    """Two dim violet or blue lights, for fluorescence."""
    parts = softboxes(rng)
    color = [(0.25, 0.05, 1.0), (0.05, 0.1, 1.0), (0.1, 0.3, 1.0)][rng.integers(3)]
    glow = Glowing(tuple(rng.uniform(0.2, 1.5) * np.array(color)))
    return [Part(part.mesh, glow) for part in parts]


LIGHTS: dict[str, Callable[..., list[Part]]] = {
    'tubes': tubes,
    'window': window,
    'ceiling_panel': ceiling_panel,
    'lamp': lamp,
    'ring': ring,
    'softboxes': softboxes,
    'ultraviolet': ultraviolet,
}
"""Functions that draw a light at random, by its name in specs."""

DIM = {'lamp', 'ring', 'softboxes'}
"""Near lights, which make the room look dim."""


def make_lighting(kinds: list[str], camera: Camera, rng: np.random.Generator) -> Lighting:
    """Sample lights and the room around them.

    Args:
        kinds: Names in `LIGHTS`.
        camera: The camera; lights are placed outside its field of view.
        rng: Random generator.

    Returns:
        The lights and the room; a light is omitted if no position outside the view is found.
    """
    parts = tuple(part for kind in kinds for part in _out_of_view(kind, camera, rng))
    level = rng.uniform(0.1, 0.3) if DIM & set(kinds) else rng.uniform(0.25, 0.6)
    if kinds == ['ultraviolet']:
        level = rng.uniform(0.002, 0.03)
    return Lighting(parts, room(rng, level), '+'.join(kinds))


def _out_of_view(kind: str, camera: Camera, rng: np.random.Generator) -> list[Part]:
    """Lights of one kind, sampled again until none is in the image."""
    lens = np.asarray(camera.origin)
    for _ in range(30):
        parts = LIGHTS[kind](rng, camera) if kind == 'ring' else LIGHTS[kind](rng)
        points = np.concatenate([part.mesh.vertices for part in parts])
        # Ceiling lights have to be above the camera.
        if kind in ('tubes', 'ceiling_panel') and points[:, 2].max() < lens[2] + 200:
            lift = np.eye(4)
            lift[2, 3] = lens[2] + 200 - points[:, 2].max()
            parts = [Part(part.mesh.transformed(lift), part.material) for part in parts]
            points = points + lift[:3, 3]
        if not camera.sees(points):
            return parts
    return []


def room(rng: np.random.Generator, level: float) -> np.ndarray:
    """Sample the environment map of a blurred room: ceiling, walls, furniture, floor.

    Args:
        rng: Random generator.
        level: Mean radiance.

    Returns:
        Linear RGB radiance, float64 of shape (128, 256, 3).
    """
    height, width = 128, 256
    elevation = np.linspace(90, -90, height)[:, None, None]
    walls = np.asarray(srgb(*(rng.uniform(150, 240) + rng.uniform(-6, 6, 3))))
    # The ceiling gets only indirect light, so it is darker than the walls.
    ceiling, floor = 0.75 * walls, 0.35 * walls * rng.uniform(0.7, 1.2)
    image = np.where(elevation > 40, ceiling, np.where(elevation > -25, walls, floor))
    image = np.broadcast_to(image, (height, width, 3)).copy()
    palette = [srgb(*c) for c in ((235, 235, 235), (40, 42, 46), (120, 90, 60), (70, 110, 160),
                                  (190, 60, 50), (30, 70, 60), (160, 160, 160))]  # fmt: skip
    for _ in range(int(rng.integers(20, 45))):
        w, h = rng.integers(5, 32), rng.integers(3, 18)
        row, column = int(rng.normal(66, 13)), int(rng.integers(0, width))
        shade = np.asarray(palette[rng.integers(len(palette))]) * rng.uniform(0.5, 1.1)
        columns = np.arange(column, column + w) % width
        image[max(row, 45) : max(row, 45) + h, columns] = shade
    image = cv2.GaussianBlur(np.tile(image, (1, 3, 1)), (0, 0), 1.6)[:, width : 2 * width]
    return level * image / image.mean()
