"""Draw scenes from a spec: which plates, how set out, on what, in which light, from where."""

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
    """All that a picture shows and how it is taken.

    Args:
        placed: Plates first, then distractors.
        bench: What they stand on.
        lighting: All light.
        camera: The camera.
        exposure: How the picture is developed.
        seed: For the renderer's random numbers.
    """

    placed: tuple[Placed, ...]
    bench: Bench
    lighting: Lighting
    camera: Camera
    exposure: Exposure
    seed: int


def generator(seed: int, split: str, index: int, purpose: str = 'scene') -> np.random.Generator:
    """Random numbers of one image, whatever else is rendered.

    Args:
        seed: Of the spec.
        split: Its name takes part, so that splits share no scene.
        index: Of the image in the split.
        purpose: Keeps independent streams apart.
    """
    return np.random.default_rng([seed, zlib.crc32(f'{split}/{purpose}'.encode()), index])


def draw_scene(spec: Spec, split: str, index: int) -> Scene:
    """Draw the scene of one image.

    Args:
        spec: The data set.
        split: One of its splits.
        index: Of the image in the split, from 0.

    Returns:
        The same scene whenever it is called with the same arguments.

    Raises:
        PlacementError: If the plates find no room.
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
    """Glassware and clutter in view; at least three things where there is no plate."""
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
            # A full bench simply holds fewer things.
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
    """How a picture is developed."""
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
    """Corners of the part of the bench that a picture without plates shows."""
    half = rng.uniform(*scene.stage)
    return np.array([[x, y, z] for x in (-half, half) for y in (-half, half) for z in (0.0, 30.0)])
