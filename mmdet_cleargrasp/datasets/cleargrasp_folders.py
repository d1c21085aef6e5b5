"""ClearGrasp's folder layout: one folder for each kind of picture, one ending for each kind.

The renderer writes it and pretraining reads it, from the renders as from ClearGrasp's own data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..utils.errors import DataError


@dataclass(frozen=True)
class Kind:
    """One kind of picture.

    Attributes:
        folder: In which all pictures of the kind are.
        endings: Of the file names after the image's number; what is written has
            the first.
    """

    folder: str
    endings: tuple[str, ...]


KINDS = {
    'rgb': Kind('rgb-imgs', ('-rgb.jpg', '-transparent-rgb-img.jpg', '-input-img.jpg')),
    'mask': Kind('segmentation-masks', ('-segmentation-mask.png', '-mask.png')),
    'outlines': Kind('outlines', ('-outlineSegmentation.png',)),
    'normals': Kind('camera-normals', ('-cameraNormals.exr', '-normals.exr')),
    'depth': Kind('depth-imgs-rectified', ('-depth-rectified.exr',)),
}
"""ClearGrasp's folders and endings, by what is in them."""


def find_samples(root: str | Path, kinds: Sequence[str]) -> list[dict[str, Path]]:
    """List the images below a folder together with their ground truth.

    Args:
        root: A folder with ``rgb-imgs`` in it, or, as in ClearGrasp's release, with
            such folders one level further down (one for each object).
        kinds: Of ``KINDS``, the ground truth that every image must have.

    Returns:
        The files of each image by kind, ``'rgb'`` among them, in the order
        of their paths.

    Raises:
        DataError: No such folder, no image in it, or ground truth that is missing; the text counts
            and names it.

    Example:
        >>> find_samples('data/nowhere', ['mask'])
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.DataError: no folder data/nowhere (...
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(
            f'no folder {root} (looked from {Path.cwd()}). Render one with tools/render_plates.py '
            'configs/rendering/pretraining.yaml DIR, or name the folder of ClearGrasp data.'
        )
    name = KINDS['rgb'].folder
    places = [path.parent for path in (root / name, *sorted(root.glob(f'*/{name}')))]
    samples = [
        _sample(place, image, kinds)
        for place in places
        if (place / name).is_dir()
        for image in sorted((place / name).iterdir())
        if image.name.endswith(KINDS['rgb'].endings)
    ]
    if not samples:
        raise DataError(
            f'{root} holds no {name}/*{KINDS["rgb"].endings[0]}, nor does a folder in it; expected '
            "ClearGrasp's layout, as tools/render_plates.py writes it with ground_truth: full"
        )
    _refuse_missing(root, samples, kinds)
    return samples


def _sample(place: Path, image: Path, kinds: Sequence[str]) -> dict[str, Path]:
    ending = next(e for e in KINDS['rgb'].endings if image.name.endswith(e))
    number = image.name.removesuffix(ending)
    sample = {'rgb': image}
    for kind in kinds:
        files = [place / KINDS[kind].folder / f'{number}{e}' for e in KINDS[kind].endings]
        sample[kind] = next((file for file in files if file.is_file()), files[0])
    return sample


def _refuse_missing(root: Path, samples: list[dict[str, Path]], kinds: Sequence[str]) -> None:
    for kind in kinds:
        missing = [sample[kind] for sample in samples if not sample[kind].is_file()]
        if missing:
            raise DataError(
                f'{root}: {len(missing)} of {len(samples)} images have no {kind} (first: '
                f'{missing[0]}). Copy the {KINDS[kind].folder} folders whole, or train another task'
            )
