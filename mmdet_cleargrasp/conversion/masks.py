"""Masks as PNG: ClearGrasp's folders, Penn-Fudan's, and images/ beside masks/."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..datasets.cleargrasp_folders import KINDS
from .boxes import Box
from .folder import Folder
from .labels import Labels
from .source import Source

TITLE = (
    'PNG masks (rgb-imgs/ and segmentation-masks/, PNGImages/ and PedMasks/, images/ and masks/)'
)

#: Class of all objects, since masks have none. `--classes object=petri_dish` renames it.
LABEL = 'object'
#: Connected components with fewer pixels are noise.
SMALLEST_PART = 16
#: An image with more values is not a mask.
MOST_THINGS = 64


@dataclass(frozen=True)
class Pairing:
    """Folders and file name endings of images and their masks."""

    image_folder: str
    image_ending: str
    mask_folder: str
    mask_ending: str


PAIRINGS = (
    *(
        Pairing(KINDS['rgb'].folder, Path(image).stem, KINDS['mask'].folder, Path(mask).stem)
        for image in KINDS['rgb'].endings
        for mask in KINDS['mask'].endings
    ),
    # ClearGrasp's photographs, all kinds in one folder.
    Pairing('', '-transparent-rgb-img', '', '-mask'),
    Pairing('PNGImages', '', 'PedMasks', '_mask'),
    Pairing('images', '', 'masks', '_mask'),
    Pairing('images', '', 'masks', ''),
)


def recognize(folder: Folder) -> bool:
    """Whether an image has a mask in one of the layouts."""
    return any(_mask_of(folder, image) for image in folder.images)


def read(folder: Folder) -> Source:
    """Read images, and the bounding boxes of the objects in their masks.

    A mask with several values has one per object. In a mask with a single value, as ClearGrasp's,
    every connected component is an object, so touching objects become one.
    """
    source = Source(folder)
    source.annotation_images = {path for path in folder.images if _is_mask(path)}
    for image in folder.images:
        path = _mask_of(folder, image)
        if path is None:
            continue
        mask = _read_mask(path)
        if mask is None:
            reason = 'its mask has several channels or is broken'
            source.skip_image(image, reason, folder.name(path))
            continue
        boxes = _boxes(source, mask)
        if boxes is None:
            reason = f'its mask has over {MOST_THINGS} values, as a picture has'
            source.skip_image(image, reason, folder.name(path))
            continue
        height, width = mask.shape
        source.add(image, Labels(path, (width, height), boxes=boxes))
    return source


def _boxes(source: Source, mask: np.ndarray) -> list[Box] | None:
    values = np.unique(mask[mask > 0])
    if len(values) > MOST_THINGS:
        return None
    if len(values) != 1:
        return [_extent(mask == value) for value in values]
    source.notes.append(
        'a mask of one value: every connected component is one object, so touching objects are one'
    )
    return list(_parts(mask))


def _read_mask(path: Path) -> np.ndarray | None:
    """The values of a mask, or palette indices; ``None`` if it has several channels."""
    try:
        with Image.open(path, formats=['PNG']) as image:
            mask = np.array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    if mask.ndim == 3 and (mask[..., :3] == mask[..., :1]).all():
        mask = mask[..., 0]
    return mask.astype(np.int32) if mask.ndim == 2 else None


def _is_mask(path: Path) -> bool:
    return any(
        _is_named(path.parent, p.mask_folder)
        and path.stem.endswith(p.mask_ending)
        and bool(p.mask_folder or p.mask_ending)
        for p in PAIRINGS
    )


def _mask_of(folder: Folder, image: Path) -> Path | None:
    for pairing in PAIRINGS:
        if not (
            _is_named(image.parent, pairing.image_folder)
            and image.stem.endswith(pairing.image_ending)
        ):
            continue
        name = image.stem.removesuffix(pairing.image_ending) + pairing.mask_ending + '.png'
        place = image.parent.parent / pairing.mask_folder if pairing.mask_folder else image.parent
        found = folder.find(folder.name(place / name))
        if found and found != image:
            return found
    return None


def _is_named(folder: Path, name: str) -> bool:
    return not name or folder.name.casefold() == name.casefold()


def _extent(mask: np.ndarray) -> Box:
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    left, right = float(columns[0]), float(columns[-1] + 1)
    return Box(LABEL, left, float(rows[0]), right, float(rows[-1] + 1))


def _parts(mask: np.ndarray) -> Iterator[Box]:
    _, _, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8), connectivity=8)
    for left, top, width, height, area in stats[1:].tolist():
        if area >= SMALLEST_PART:
            yield Box(LABEL, float(left), float(top), float(left + width), float(top + height))
