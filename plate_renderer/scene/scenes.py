"""Draw scenes from a spec: which plates, how set out, on what, in which light, from where."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..geometry.camera import Camera, framing
from ..geometry.meshes import merge
from ..objects import growth, markings
from ..objects.dishes import PETRI_SIZES, SQUARE_SIZES, Agar, dish
from ..objects.distractors import OPAQUE, TRANSPARENT
from ..objects.materials import Coating, Part
from ..objects.multiwell import LAYOUTS, Filling, multiwell_plate, well_stains
from ..objects.plates import Item
from ..objects.textures import srgb
from .benches import Bench, make_bench
from .lighting import Lighting, make_lighting
from .photograph import Exposure
from .placement import Placed, PlacementError, arrange, put_in_view
from .spec import CameraSpec, PhotographSpec, PlateSpec, SceneSpec, Spec, Weights

AGARS = (
    ('plain', (0.004, 0.008, 0.020), srgb(200, 190, 150)),
    ('lb', (0.010, 0.022, 0.075), srgb(205, 180, 105)),
    ('mueller_hinton', (0.008, 0.014, 0.040), srgb(196, 186, 150)),
    ('macconkey', (0.010, 0.075, 0.050), srgb(190, 90, 95)),
    ('potato', (0.012, 0.020, 0.040), srgb(190, 175, 140)),
    ('chocolate', (0.10, 0.22, 0.35), srgb(112, 64, 40)),
)
"""Media by name: absorption in 1/mm (linear RGB) and the color of what they scatter, set by eye
against photographs: makers give no optical constants."""

LIQUIDS = (
    (0.0, 0.0, 0.0),
    (0.003, 0.035, 0.045),
    (0.004, 0.020, 0.110),
    (0.045, 0.090, 0.012),
    (0.150, 0.040, 0.008),
    (0.060, 0.160, 0.020),
)
"""Absorption in 1/mm of water, medium with phenol red, yellowed medium, violet and blue dyes."""


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
    part = spec.splits[split]
    scene, size = part.scene, (spec.image.width, spec.image.height)
    placed = _plates(part.plates, scene, rng)
    bench = make_bench(pick(scene.benches, rng), rng)
    points = np.concatenate([p.corners for p in placed]) if placed else _empty_stage(rng)
    camera = _camera(part.camera, points, size, rng)
    placed += _distractors(scene, camera, [p.ground for p in placed], rng, lonely=not placed)
    kinds = [pick(scene.lights, rng)]
    if rng.random() < scene.second_light:
        kinds = sorted({*kinds, pick(scene.lights, rng)})
    lighting = make_lighting(kinds, camera, rng)
    exposure = _exposure(part.photograph, rng)
    return Scene(tuple(placed), bench, lighting, camera, exposure, int(rng.integers(2**31)))


def pick(weights: Weights, rng: np.random.Generator) -> Any:
    """Choose a key with a probability in proportion to its weight."""
    names = list(weights)
    share = np.array([weights[name] for name in names], float)
    return names[rng.choice(len(names), p=share / share.sum())]


def _plates(plates: PlateSpec, scene: SceneSpec, rng: np.random.Generator) -> list[Placed]:
    """Plates in one of the arrangements."""
    arrangement = pick(scene.arrangements, rng)
    if arrangement == 'none':
        return []
    count = int(rng.integers(scene.plates[0], scene.plates[1] + 1))
    if arrangement == 'single':
        piles = [[_plate(plates, rng)]]
    elif arrangement == 'scatter':
        piles = [[_plate(plates, rng)] for _ in range(count)]
    elif arrangement == 'row':
        kind = _kind(plates, rng)
        piles = [[_plate(plates, rng, kind)] for _ in range(count)]
    else:
        piles = []
        for _ in range(int(rng.integers(1, 4))):
            kind = _kind(plates, rng)
            high = int(rng.integers(scene.stack_height[0], scene.stack_height[1] + 1))
            piles.append([_plate(plates, rng, kind, stacked=True) for _ in range(high)])
    return arrange(piles, rng, aligned=arrangement == 'row')


def _kind(plates: PlateSpec, rng: np.random.Generator) -> tuple[str, Any]:
    """Class and size of a plate."""
    category = pick(plates.classes, rng)
    sizes = {
        'petri_dish': plates.petri_sizes,
        'square_dish': plates.square_sizes,
        'multiwell_plate': plates.wells,
    }
    return category, pick(sizes[category], rng)


def _plate(
    plates: PlateSpec,
    rng: np.random.Generator,
    kind: tuple[str, Any] | None = None,
    stacked: bool = False,
) -> Item:
    """One plate with its contents and markings; stacked ones have lids and stand upright."""
    category, size = kind or _kind(plates, rng)
    lid = stacked or bool(rng.random() < plates.lid)
    if category == 'multiwell_plate':
        item = _multiwell(plates, int(size), lid, rng)
    else:
        item = _dish(plates, category, size, lid, rng)
    if 'lid' in item.beds and rng.random() < plates.sticker:
        item = item.with_parts(markings.sticker(item.beds['lid'], rng))
    elif rng.random() < plates.writing:
        bed = 'lid' if 'lid' in item.beds and rng.random() < 0.5 else 'floor'
        if bed in item.beds:
            item = item.with_parts(markings.writing(item.beds[bed], rng, from_below=bed == 'floor'))
    if category != 'multiwell_plate' and not stacked and rng.random() < plates.upside_down:
        item = item.upside_down()
    return item


def _dish(plates: PlateSpec, category: str, size: Any, lid: bool, rng: np.random.Generator) -> Item:
    """A Petri or square dish and what grows in it."""
    dimensions = (PETRI_SIZES if category == 'petri_dish' else SQUARE_SIZES)[size]
    plastic = tuple(rng.uniform(0.97, 0.995) * np.array([1.0, 1.0, rng.uniform(0.985, 1.0)]))
    what = pick(plates.growth, rng)
    if what == 'empty':
        return dish(dimensions, category, None, lid, plastic)
    _, absorption, color = AGARS[rng.choice(len(AGARS), p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])]
    if what in ('blood', 'seedlings'):
        absorption = AGARS[0][1]
    depth = rng.uniform(2.8, min(5.0, dimensions.height / 2 - 1.2))
    item = dish(dimensions, category, Agar(depth, absorption, rng.uniform(0.6, 1.3)), lid, plastic)
    bed = item.beds['growth']
    haze = rng.uniform(0.02, 0.35) * (0.25 if what == 'seedlings' else 1.0)
    parts = growth.turbidity(bed, rng, color, haze)
    area = (dimensions.width / 90) ** 2
    colony = growth.COLONY_COLORS[rng.integers(len(growth.COLONY_COLORS))]
    if what == 'colonies':
        parts += growth.colonies(bed, rng, int(rng.integers(5, 160) * area) + 3, colony)
    elif what == 'lawn':
        dispensed = [0, 4, 5, 6] if category == 'petri_dish' else [0, 9, 16, 16]
        discs = 0 if dimensions.width < 80 else int(rng.choice(dispensed))
        parts += growth.lawn(bed, rng, color, discs, rng.uniform(0.3, 0.75))
    elif what == 'streaks':
        parts += growth.streaks(bed, rng, colony)
    elif what == 'blood':
        parts = growth.blood(bed, rng)
        if rng.random() < 0.5:
            parts += growth.colonies(bed, rng, int(rng.integers(5, 80) * area) + 3, colony)
    elif what == 'mold':
        parts += growth.mold(bed, rng, int(rng.integers(1, 6)))
    elif what == 'seedlings':
        parts += growth.seedlings(bed, rng, int(rng.integers(3, 9)))
    return item.with_parts(parts)


def _multiwell(plates: PlateSpec, wells: int, lid: bool, rng: np.random.Generator) -> Item:
    """A multiwell plate, empty or partly filled, with stained wells now and then."""
    layout = LAYOUTS[wells]
    plastic = tuple(rng.uniform(0.97, 0.995) * np.array([1.0, 1.0, rng.uniform(0.985, 1.0)]))
    fillings: list[Filling] = []
    filled: list[int] = []
    if rng.random() < plates.filled_wells:
        depth = rng.uniform(0.15, 0.7) * layout.well_depth
        order = rng.permutation(layout.count) if rng.random() < 0.4 else np.arange(layout.count)
        filled = order[: int(layout.count * rng.uniform(0.3, 1.0)) + 1].tolist()
        colors = rng.permutation(len(LIQUIDS))[: rng.integers(1, 4)]
        # Dilution series and controls: neighboring wells share a liquid.
        runs = np.array_split(np.array(filled), len(colors))
        fillings = [
            Filling(tuple(run.tolist()), depth, LIQUIDS[c])
            for run, c in zip(runs, colors, strict=True)
            if len(run)
        ]
    item = multiwell_plate(layout, fillings, lid, plastic)
    if filled and rng.random() < 0.3:
        some = rng.permutation(filled)[: max(1, len(filled) // 3)].tolist()
        color = [srgb(90, 40, 130), srgb(60, 90, 170), srgb(180, 60, 90)][rng.integers(3)]
        mesh = merge(well_stains(layout, some))
        item = item.with_parts([Part(mesh, Coating(color, rng.uniform(0.3, 0.85), True))])
    return item


def _distractors(
    scene: SceneSpec, camera: Camera, taken: list, rng: np.random.Generator, lonely: bool
) -> list[Placed]:
    """Glassware and clutter in view; at least three things where there is no plate."""
    low, high = scene.distractors
    count = int(rng.integers(low, high + 1))
    placed: list[Placed] = []
    for _ in range(max(count, 3) if lonely else count):
        clear = rng.random() < (0.8 if lonely else scene.transparent_share)
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


def _exposure(spec: PhotographSpec, rng: np.random.Generator) -> Exposure:
    """How a picture is developed."""
    return Exposure(
        stops=rng.uniform(*spec.stops),
        balance=tuple(np.exp(rng.normal(0, spec.balance, 3))),
        vignetting=rng.uniform(*spec.vignetting),
        noise=rng.uniform(*spec.noise),
        contrast=rng.uniform(*spec.contrast),
        sharpening=rng.uniform(*spec.sharpening),
        blur=rng.uniform(*spec.blur),
        quality=int(rng.integers(spec.quality[0], spec.quality[1] + 1)),
    )


def _empty_stage(rng: np.random.Generator) -> np.ndarray:
    """Corners of the part of the bench that a picture without plates shows."""
    half = rng.uniform(50, 120)
    return np.array([[x, y, z] for x in (-half, half) for y in (-half, half) for z in (0.0, 30.0)])
