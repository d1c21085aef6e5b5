"""Sample whole scenes from a spec: plates, distractors, bench, lights, camera, exposure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from ..geometry.camera import Camera, framing
from ..objects.distractors import OPAQUE, TRANSPARENT
from .arrangements import draw_arrangement, draw_loose_lids
from .benches import Bench, make_bench
from .draw_plates import pick
from .lighting import Lighting, make_lighting
from .photograph import Exposure
from .placement import Placed, PlacementError, put_in_view
from .spec import CameraSpec, PhotographSpec, SceneSpec, Spec
from .walls import make_wall


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene, ready to be rendered.

    Args:
        placed: Plates and what holds them, loose lids, then distractors.
        bench: Bench top, and the wall if there is one.
        lighting: Lights and room.
        camera: The camera.
        exposure: Parameters of the photograph.
        seed: Random seed of the path tracer.
    """

    placed: tuple[Placed, ...]
    bench: Bench
    lighting: Lighting
    camera: Camera
    exposure: Exposure
    seed: int


def generator(seed: int, split: str, index: int, purpose: str = 'scene') -> np.random.Generator:
    """Random generator of one image, independent of all other images.

    Args:
        seed: Seed of the spec.
        split: Name of the split; splits have different scenes.
        index: Index of the image in the split.
        purpose: Name of the stream, for several independent generators per image.
    """
    return np.random.default_rng([seed, zlib.crc32(f'{split}/{purpose}'.encode()), index])


def draw_scene(spec: Spec, split: str, index: int) -> Scene:
    """Sample the scene of one image.

    Args:
        spec: Spec of the dataset.
        split: Name of the split.
        index: Index of the image in the split, from 0.

    Returns:
        The scene, which depends on the arguments only.

    Raises:
        PlacementError: If no space is found for the plates.

    Example:
        >>> from plate_renderer.scene.spec import parse_spec
        >>> spec = parse_spec({'name': 'demo', 'seed': 1, 'splits': {'train': {'images': 9}},
        ...                    'scene': {'arrangements': {'none': 1}, 'distractors': [1, 1]}})
        >>> scene = draw_scene(spec, 'train', 0)
        >>> [placed.item.category for placed in scene.placed]
        [None, None, None]
    """
    rng = generator(spec.seed, split, index)
    extra = generator(spec.seed, split, index, 'extra')
    kinds = spec.splits[split].mixture
    part = kinds[pick({name: weight for name, (weight, _) in kinds.items()}, extra)][1]
    scene, size = part.scene, (spec.image.width, spec.image.height)
    placed = draw_arrangement(part.plates, scene, rng)
    bench = make_bench(pick(scene.benches, rng), rng)
    framed = [p.corners for p in placed if p.item.category] or [p.corners for p in placed]
    points = np.concatenate(framed) if framed else _empty_stage(scene, rng)
    camera = _camera(part.camera, points, size, rng)
    placed += draw_loose_lids(part.plates, placed, extra)
    placed += _distractors(scene, camera, [p.ground for p in placed], rng, lonely=not placed)
    lights = [pick(scene.lights, rng)]
    if rng.random() < scene.second_light:
        lights = sorted({*lights, pick(scene.lights, rng)})
    lighting = make_lighting(lights, camera, rng)
    exposure = _exposure(part.photograph, rng, extra)
    if extra.random() < scene.wall:
        wall = make_wall(camera, [p.points for p in placed], extra)
        bench = replace(bench, parts=(*bench.parts, wall))
    return Scene(tuple(placed), bench, lighting, camera, exposure, int(rng.integers(2**31)))


def _distractors(
    scene: SceneSpec, camera: Camera, taken: list, rng: np.random.Generator, lonely: bool
) -> list[Placed]:
    """Distractors in the camera's view; at least three if the scene is empty otherwise."""
    low, high = scene.distractors
    count = int(rng.integers(low, high + 1))
    placed: list[Placed] = []
    for _ in range(max(count, 3) if lonely else count):
        clear = rng.random() < (
            scene.transparent_share_alone if lonely else scene.transparent_share
        )
        catalog, weights = (TRANSPARENT, scene.transparent) if clear else (OPAQUE, scene.opaque)
        item = catalog[pick(weights, rng)](rng)
        grounds = [*taken, *(p.ground for p in placed)]
        try:
            placed.append(put_in_view(item, camera, grounds, rng))
        except PlacementError:
            # A full bench has fewer distractors.
            continue
    return placed


def _camera(
    spec: CameraSpec, points: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> Camera:
    """A camera that frames the plates."""
    top = rng.random() < spec.top_view
    elevation = rng.uniform(80, 90) if top else rng.uniform(*spec.elevation)
    return framing(
        points,
        elevation=elevation,
        azimuth=rng.uniform(0, 360),
        roll=rng.normal(0, spec.roll) if not top else rng.uniform(0, 360),
        fill=rng.uniform(*spec.fill),
        shift=tuple(rng.normal(0, spec.shift, 2)),
        focal_length=rng.uniform(*spec.focal_length),
        size=size,
        aperture_radius=rng.uniform(*spec.aperture_radius),
        defocus=rng.normal(0, spec.defocus),
    )


def _exposure(
    spec: PhotographSpec, rng: np.random.Generator, extra: np.random.Generator
) -> Exposure:
    """Sample the parameters of the photograph."""
    way, angle = extra.uniform(*spec.motion), extra.uniform(0, 2 * np.pi)
    cast = extra.normal(0, spec.cast, 3)
    stops = rng.uniform(*spec.stops)
    red, green, blue = np.exp(rng.normal(0, spec.balance, 3) + cast).tolist()
    return Exposure(
        stops=stops,
        balance=(red, green, blue),
        vignetting=rng.uniform(*spec.vignetting),
        noise=rng.uniform(*spec.noise),
        contrast=rng.uniform(*spec.contrast),
        sharpening=rng.uniform(*spec.sharpening),
        blur=rng.uniform(*spec.blur),
        quality=int(rng.integers(spec.quality[0], spec.quality[1] + 1)),
        motion=(way * np.cos(angle), way * np.sin(angle)),
    )


def _empty_stage(scene: SceneSpec, rng: np.random.Generator) -> np.ndarray:
    """Corners of the volume that the camera frames in a scene without plates, float64 (8, 3)."""
    half = rng.uniform(*scene.stage)
    return np.array([[x, y, z] for x in (-half, half) for y in (-half, half) for z in (0.0, 30.0)])
