"""What a data set is drawn from: a YAML file of weights and ranges, read and checked as one.

See `configs/rendering/plates.yaml` for every field with its meaning.
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
Counts: TypeAlias = tuple[int, int]
Weights: TypeAlias = dict[Any, float]

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
    """Size and quality of every image, and what counts as a plate in it."""

    width: int = 512
    height: int = 384
    samples: int = 16
    depth: int = 40
    sliver: float = 0.0


@dataclass(frozen=True)
class PlateSpec:
    """Which plates there are and what is in and on them. Weights are relative."""

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
    """How plates are set out, on what, in which light, among what. Weights are relative."""

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
    """Where the camera stands and how it is set."""

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
    """How pictures are exposed and developed."""

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
    """What an image is drawn from."""

    plates: PlateSpec
    scene: SceneSpec
    camera: CameraSpec
    photograph: PhotographSpec


@dataclass(frozen=True)
class SplitSpec:
    """One split.

    Args:
        images: How many.
        mixture: Weight and distribution of each kind of image, by name.
    """

    images: int
    mixture: dict[str, tuple[float, Distribution]]


@dataclass(frozen=True)
class Spec:
    """A whole data set.

    Args:
        name: Of the data set.
        seed: From which everything is drawn, with a split's name and an image's index.
        ground_truth: `boxes` writes JPEG images and COCO annotations, `full` also normals, depth,
            outlines and masks in ClearGrasp's folders.
        image: Size and quality.
        splits: By name.
    """

    name: str
    seed: int
    ground_truth: str
    image: ImageSpec
    splits: dict[str, SplitSpec]

    @property
    def digest(self) -> str:
        """Hash of the fields that the pixels depend on, to distinguish specs of folders."""
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
"""What the weights of each field may be given for."""

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
        SpecError: If it cannot be read, or names something unknown, or gives an impossible value.
    """
    return parse_spec(read_yaml(path), str(path))


def parse_spec(content: Any, source: str = 'spec') -> Spec:
    """Build a spec from what YAML holds.

    Args:
        content: Mapping with `name`, `seed`, `ground_truth`, `image`, the sections `plates`,
            `scene`, `camera` and `photograph`, and `splits`; a split may override any section.
            `mixture` gives kinds of image by name, each with a `weight` and the fields of any
            section in which it differs.
        source: Where it comes from, for error messages.

    Raises:
        SpecError: As `read_spec`.

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
    """The kinds of image of a split; without a mixture there is one, named after nothing."""
    if content is None:
        return {'': (1.0, _distribution(sections, where))}
    mixture = {}
    for name, body in expect_mapping(content, None, place).items():
        known = {'weight', *SECTIONS}
        body = expect_mapping(body, known, f'{place}.{name}')
        weight = expect_number(body.get('weight', 1), f'{place}.{name}.weight')
        # What a kind of image says counts more than what its split says.
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
    """A section as a split has it: its own fields replace the data set's."""
    return {**(top.get(key) or {}), **(body.get(key) or {})}


def _section(kind: type, values: Any, where: str) -> Any:
    """Build one dataclass of a spec, checking every field against its default's type."""
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
        raise SpecError(f'{where} is {value!r}: the lowest comes first')
    return (low, high)
