"""Rendering of one image: scene, path tracing, ground truth, photograph."""

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
"""Smallest number of visible pixels of an annotated plate."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A rendered image with its ground truth.

    Args:
        photo: Content of a JPEG file.
        instances: Plates with at least `SMALLEST` visible pixels.
        transparent: Pixels of transparent objects, bool of shape (h, w).
        outlines: ClearGrasp's outline classes, uint8 of shape (h, w).
        normals: Unit normals in camera axes, float32 of shape (h, w, 3).
        depth: Depth along the viewing direction in millimeters, float32 of shape (h, w).
        contents: Description of the scene.
    """

    photo: bytes
    instances: tuple[Instance, ...]
    transparent: np.ndarray
    outlines: np.ndarray
    normals: np.ndarray
    depth: np.ndarray
    contents: str


def render(spec: Spec, split: str, index: int, variant: str = 'scalar_rgb') -> Rendered:
    """Render one image of a dataset.

    Args:
        spec: Spec of the dataset.
        split: Name of the split.
        index: Index of the image in the split, from 0.
        variant: Mitsuba's variant, one of `pathtracer.VARIANTS`.

    Returns:
        The image, equal to the pixel for the same arguments on the same kind of machine.

    Raises:
        PlacementError: If no space is found for the plates.
        MissingRendererError: If Mitsuba is not installed.

    Example:
        >>> from plate_renderer.scene.spec import read_spec
        >>> spec = read_spec('configs/rendering/plates.yaml')  # doctest: +SKIP
        >>> photo = render(spec, 'train', 0).photo  # doctest: +SKIP
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

    # A transparent loose lid does not occlude the plate below it.
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
