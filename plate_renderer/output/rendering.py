"""One image from beginning to end: draw the scene, trace it, label it, photograph it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..scene.photograph import develop, jpeg
from ..scene.scenes import draw_scene, generator
from ..scene.spec import Spec
from . import ground_truth
from .ground_truth import Instance, visible_share
from .pathtracer import Tracer, denoised

SMALLEST = 64
"""Fewest visible pixels of a plate that is annotated: less is not recognizable."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A picture with its ground truth.

    Args:
        photo: JPEG file.
        instances: Plates of which at least `SMALLEST` pixels are visible.
        transparent: Pixels whose first surface is a plate or glassware, bool of shape (h, w).
        outlines: ClearGrasp's classes, uint8 of shape (h, w).
        normals: In camera axes, float32 of shape (h, w, 3).
        depth: Along the view in millimeters, float32 of shape (h, w).
        contents: What the scene holds, for people.
    """

    photo: bytes
    instances: tuple[Instance, ...]
    transparent: np.ndarray
    outlines: np.ndarray
    normals: np.ndarray
    depth: np.ndarray
    contents: str


def render(spec: Spec, split: str, index: int, variant: str = 'scalar_rgb') -> Rendered:
    """Render one image of a data set.

    Args:
        spec: The data set.
        split: One of its splits.
        index: Of the image, from 0.
        variant: Mitsuba's variant, one of `pathtracer.VARIANTS`.

    Returns:
        The same, to the pixel, for the same arguments on the same kind of machine.

    Raises:
        PlacementError: If the scene's plates find no room.
        MissingRendererError: If Mitsuba is not installed.
    """
    scene = draw_scene(spec, split, index)
    camera = scene.camera
    tracer = Tracer(
        [placed.item.parts for placed in scene.placed],
        scene.bench.parts,
        scene.lighting,
        camera,
        variant,
    )
    first = tracer.first_surface()
    depth = ground_truth.depth_map(first.distance, camera)
    normals = ground_truth.camera_normals(first.shading_normals, first.face_normals, camera)
    clear = np.array([*(placed.item.transparent for placed in scene.placed), False])
    transparent = clear[first.owner]

    # A plate is not hidden by a loose lid that it is seen through.
    under_lid = np.array([*(placed.item.loose_lid for placed in scene.placed), False])[first.owner]
    instances = []
    for owner, placed in enumerate(scene.placed):
        mask = first.owner == owner
        if placed.item.category and not placed.item.loose_lid and mask.any() and under_lid.any():
            mask |= under_lid & tracer.whole_mask(owner)
        if placed.item.category is None or mask.sum() < SMALLEST:
            continue
        box = ground_truth.amodal_box(placed.points, camera)
        whole = tracer.whole_mask(owner)
        item = placed.item
        crowd = item.loose_lid or visible_share(mask, box) < spec.image.sliver
        instances.append(Instance(str(item.category), mask, whole, box, item.label, crowd))

    radiance = tracer.radiance(spec.image.samples, spec.image.depth, scene.seed)
    radiance = denoised(radiance, *tracer.features(spec.image.samples, scene.seed))
    photo = develop(radiance, scene.exposure, generator(spec.seed, split, index, 'noise'))
    contents = [placed.item.label for placed in scene.placed]
    return Rendered(
        photo=jpeg(photo, scene.exposure.quality),
        instances=tuple(instances),
        transparent=transparent,
        outlines=ground_truth.outlines(first.owner, transparent, depth, normals, camera),
        normals=normals,
        depth=depth,
        contents=f'{"; ".join(contents)} | {scene.bench.label} | {scene.lighting.label}',
    )
