"""Specs of rendered datasets: YAML files of weights and ranges.

`configs/rendering/plates.yaml` describes every field.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ..objects.dishes import PETRI_SIZES, SQUARE_SIZES
from ..objects.distractors import OPAQUE, TRANSPARENT
from ..objects.multiwell import LAYOUTS
from ..objects.plates import CATEGORIES
from .benches import BENCHES
from .lighting import LIGHTS
from .yaml_values import SpecError, expect_mapping, expect_number, read_yaml

Range: TypeAlias = tuple[float, float]
"""Smallest and largest value of a uniform distribution."""
Counts: TypeAlias = tuple[int, int]
"""Smallest and largest value of a uniform distribution of integers."""
Weights: TypeAlias = dict[Any, float]
"""Relative probability of each name or size."""

GROWTHS = (
    'empty', 'agar', 'colonies', 'lawn', 'streaks', 'blood', 'mold', 'seedlings', 'membranes',
    'pieces', 'colored',
)  # fmt: skip
ARRANGEMENTS = (
    'none', 'single', 'scatter', 'row', 'stack', 'deck', 'empty_deck', 'reader', 'held',
)  # fmt: skip
LAYOUT_NAMES = ('boxes', 'full')


@dataclass(frozen=True)
class ImageSpec:
    """Size and quality of the images.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        samples: Paths per pixel.
        depth: Largest number of surfaces of a path.
        sliver: Plates whose visible share is smaller are annotated as `iscrowd`, in [0, 1].
    """

    width: int = 512
    height: int = 384
    samples: int = 16
    depth: int = 40
    sliver: float = 0.0


@dataclass(frozen=True)
class PlateSpec:
    """Distribution of plates, their contents and markings; numbers are probabilities."""

    classes: Weights = field(default_factory=lambda: {name: 1.0 for name in CATEGORIES})
    petri_sizes: Weights = field(default_factory=lambda: {n: 1.0 for n in PETRI_SIZES})
    square_sizes: Weights = field(default_factory=lambda: {n: 1.0 for n in SQUARE_SIZES})
    wells: Weights = field(default_factory=lambda: {n: 1.0 for n in LAYOUTS})
    growth: Weights = field(default_factory=lambda: {name: 1.0 for name in GROWTHS})
    filled_wells: float = 0.6
    vivid_wells: float = 0.0
    lettered: float = 0.0
    opaque_plastic: float = 0.0
    fluorescent: float = 0.0
    loose_lid: float = 0.0
    tags: float = 0.0
    worn: float = 0.0
    lid: float = 0.5
    upside_down: float = 0.15
    writing: float = 0.3
    sticker: float = 0.1


@dataclass(frozen=True)
class SceneSpec:
    """Distribution of arrangements, bench tops, lights and distractors."""

    arrangements: Weights = field(default_factory=lambda: {name: 1.0 for name in ARRANGEMENTS})
    plates: Counts = (2, 5)
    stack_height: Counts = (2, 4)
    benches: Weights = field(default_factory=lambda: {name: 1.0 for name in BENCHES})
    lights: Weights = field(default_factory=lambda: {name: 1.0 for name in LIGHTS})
    second_light: float = 0.3
    distractors: Counts = (0, 4)
    transparent: Weights = field(default_factory=lambda: {name: 1.0 for name in TRANSPARENT})
    opaque: Weights = field(default_factory=lambda: {name: 1.0 for name in OPAQUE})
    transparent_share: float = 0.5
    transparent_share_alone: float = 0.8
    stage: Range = (50, 120)
    wall: float = 0.0


@dataclass(frozen=True)
class CameraSpec:
    """Distribution of the camera's pose and lens."""

    top_view: float = 0.45
    elevation: Range = (28, 80)
    fill: Range = (0.45, 0.92)
    shift: float = 0.08
    focal_length: Range = (26, 60)
    roll: float = 8.0
    aperture_radius: Range = (0.3, 2.0)
    defocus: float = 0.04


@dataclass(frozen=True)
class PhotographSpec:
    """Distribution of the photograph's parameters, see `photograph.Exposure`."""

    stops: Range = (-0.5, 0.45)
    balance: float = 0.08
    vignetting: Range = (0.0, 0.35)
    noise: Range = (0.002, 0.014)
    contrast: Range = (0.0, 0.5)
    sharpening: Range = (0.0, 0.6)
    blur: Range = (0.0, 0.7)
    quality: Counts = (82, 94)
    motion: Range = (0.0, 0.0)
    cast: float = 0.0


@dataclass(frozen=True)
class Distribution:
    """Distribution from which a kind of image is sampled."""

    plates: PlateSpec
    scene: SceneSpec
    camera: CameraSpec
    photograph: PhotographSpec


@dataclass(frozen=True)
class SplitSpec:
    """A split of the dataset.

    Args:
        images: Number of images.
        mixture: Weight and distribution of each kind of image, by name.
    """

    images: int
    mixture: dict[str, tuple[float, Distribution]]


@dataclass(frozen=True)
class Spec:
    """Spec of a dataset.

    Args:
        name: Name of the dataset.
        seed: Random seed.
        ground_truth: `boxes` for JPEG images and COCO annotations, `full` for normals, depth,
            outlines and masks in ClearGrasp's layout too.
        image: Size and quality of the images.
        splits: Splits by name.
    """

    name: str
    seed: int
    ground_truth: str
    image: ImageSpec
    splits: dict[str, SplitSpec]

    @property
    def digest(self) -> str:
        """Hash of all fields, which identifies the spec of a folder."""
        content = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


CHOICES: dict[str, tuple] = {
    'classes': CATEGORIES,
    'petri_sizes': tuple(PETRI_SIZES),
    'square_sizes': tuple(SQUARE_SIZES),
    'wells': tuple(LAYOUTS),
    'growth': GROWTHS,
    'arrangements': ARRANGEMENTS,
    'benches': tuple(BENCHES),
    'lights': tuple(LIGHTS),
    'transparent': tuple(TRANSPARENT),
    'opaque': tuple(OPAQUE),
}
"""Keys that are allowed in each field of weights."""

SECTIONS = {
    'plates': PlateSpec,
    'scene': SceneSpec,
    'camera': CameraSpec,
    'photograph': PhotographSpec,
}


def read_spec(path: str | Path) -> Spec:
    """Read a spec file.

    Args:
        path: YAML file.

    Raises:
        SpecError: If the file cannot be read, or has an unknown name or an invalid value.
    """
    return parse_spec(read_yaml(path), str(path))


def parse_spec(content: Any, source: str = 'spec') -> Spec:
    """Build a spec from the content of a YAML file.

    Args:
        content: Mapping with `name`, `seed`, `ground_truth`, `image`, the sections `plates`,
            `scene`, `camera` and `photograph`, and `splits`; a split may override any section.
            `mixture` gives kinds of image by name, each with a `weight` and the fields of any
            section in which it differs.
        source: File name, for error messages.

    Raises:
        SpecError: If there is an unknown name or an invalid value.

    Example:
        >>> spec = parse_spec({'name': 'mine', 'seed': 1, 'splits': {'train': {'images': 3}}})
        >>> weight, distribution = spec.splits['train'].mixture['']
        >>> distribution.camera.top_view
        0.45
    """
    names = {'name', 'seed', 'ground_truth', 'image', 'mixture', 'splits', *SECTIONS}
    top = expect_mapping(content, names, source)
    for key in ('name', 'seed', 'splits'):
        if key not in top:
            raise SpecError(f'{source} has no `{key}`: add it')
    layout = top.get('ground_truth', 'full')
    if layout not in LAYOUT_NAMES:
        raise SpecError(f'{source}: ground_truth is {layout!r}, expected one of {LAYOUT_NAMES}')
    splits = {}
    for name, body in expect_mapping(top['splits'], None, f'{source}: splits').items():
        where = f'{source}: splits.{name}'
        body = expect_mapping(body, {'images', *SECTIONS}, where)
        if not isinstance(body.get('images'), int) or body['images'] < 0:
            raise SpecError(f'{where}: images is {body.get("images")!r}, expected a whole number')
        sections = {key: _merged(top, body, key) for key in SECTIONS}
        mixture = _mixture(top.get('mixture'), sections, f'{source}: mixture', where)
        splits[str(name)] = SplitSpec(body['images'], mixture)
    image = _section(ImageSpec, top.get('image') or {}, f'{source}: image')
    if min(image.width, image.height, image.samples, image.depth) < 1:
        raise SpecError(f'{source}: image: width, height, samples and depth must be at least 1')
    if not isinstance(top['seed'], int) or top['seed'] < 0:
        raise SpecError(f'{source}: seed is {top["seed"]!r}, expected a whole number from 0')
    return Spec(str(top['name']), top['seed'], layout, image, splits)


def _mixture(
    content: Any, sections: dict[str, dict], place: str, where: str
) -> dict[str, tuple[float, Distribution]]:
    """Weights and distributions of a split; without a mixture there is one, with an empty name."""
    if content is None:
        return {'': (1.0, _distribution(sections, where))}
    mixture = {}
    for name, body in expect_mapping(content, None, place).items():
        known = {'weight', *SECTIONS}
        body = expect_mapping(body, known, f'{place}.{name}')
        weight = expect_number(body.get('weight', 1), f'{place}.{name}.weight')
        # Fields of a kind of image override those of the split.
        merged = {key: {**values, **(body.get(key) or {})} for key, values in sections.items()}
        mixture[str(name)] = (weight, _distribution(merged, f'{place}.{name}'))
    if min((w for w, _ in mixture.values()), default=0) < 0 or not any(
        w for w, _ in mixture.values()
    ):
        raise SpecError(f'{place}: weights must not be negative, and one must be above 0')
    return mixture


def _distribution(sections: dict[str, dict], where: str) -> Distribution:
    return Distribution(
        **{key: _section(kind, sections[key], f'{where}.{key}') for key, kind in SECTIONS.items()}
    )


def _merged(top: Mapping, body: Mapping, key: str) -> dict:
    """A section of a split: the dataset's fields, overridden by the split's."""
    return {**(top.get(key) or {}), **(body.get(key) or {})}


def _section(kind: type, values: Any, where: str) -> Any:
    """Build a section, checking every value against the type of its field."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    checked: dict[str, Any] = {}
    for name, value in expect_mapping(values, fields, where).items():
        place = f'{where}.{name}'
        annotation = str(fields[name].type)
        if annotation == 'Weights':
            checked[name] = _weights(value, CHOICES[name], place)
        elif annotation in ('Range', 'Counts'):
            checked[name] = _range(value, place, whole=annotation == 'Counts')
        else:
            checked[name] = expect_number(value, place, whole=annotation == 'int')
    return kind(**checked)


def _weights(value: Any, choices: tuple, where: str) -> Weights:
    weights = expect_mapping(value, choices, where)
    numbers = {key: expect_number(weight, f'{where}.{key}') for key, weight in weights.items()}
    if min(numbers.values(), default=0) < 0 or sum(numbers.values()) <= 0:
        raise SpecError(f'{where}: weights must not be negative, and one must be above 0')
    return numbers


def _range(value: Any, where: str, whole: bool) -> tuple[float, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise SpecError(f'{where} is {value!r}, expected [lowest, highest]')
    low, high = (expect_number(v, where, whole) for v in value)
    if low > high:
        raise SpecError(f'{where} is {value!r}, expected [lowest, highest]: the lowest comes first')
    return (low, high)
