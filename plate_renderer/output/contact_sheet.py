"""Contact sheets: small images of a dataset with their annotations."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from .files import KINDS
from .pathtracer import load_mitsuba

COLORS = {1: (213, 94, 0), 2: (0, 114, 178), 3: (0, 158, 115)}
"""RGB by category id, the same colors as in the plugin's own pictures."""
OUTLINE_COLORS = np.array([[0, 0, 0], [0, 255, 0], [60, 120, 255]], np.uint8)
"""RGB of background, depth boundary and contact edge."""


def contact_sheet(
    folder: str | Path, splits: list[str], count: int, columns: int, width: int, plain: bool = False
) -> np.ndarray:
    """Draw a contact sheet.

    Args:
        folder: Dataset that `dataset.write_dataset` wrote.
        splits: Splits from which the same number of images each is taken.
        count: Number of images.
        columns: Number of images per row.
        width: Width of an image in pixels.
        plain: Whether to draw the images only, without annotations.

    Returns:
        RGB picture, uint8 of shape (h, w, 3). Boxes and masks have the color of their class;
        normals and outlines, if the dataset has them, are to the right of each image.

    Raises:
        FileNotFoundError: If the splits have no images.
    """
    folder = Path(folder)
    chosen = []
    for split in splits:
        content = json.loads((folder / 'annotations' / f'{split}.json').read_text())
        share = -(-count // len(splits))
        step = max(1, len(content['images']) // share)
        chosen += [(split, image, content) for image in content['images'][::step][:share]]
    if not chosen:
        raise FileNotFoundError(f'{folder} has no images of {splits}: render some first')
    tiles = [_tile(folder, *entry, width, plain) for entry in chosen[:count]]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _tile(
    folder: Path, split: str, image: dict, content: dict, width: int, plain: bool
) -> np.ndarray:
    """One image and, if the dataset has them, its normals and outlines."""
    full = (folder / split / KINDS['rgb'].folder).is_dir()
    place = folder / split / KINDS['rgb'].folder if full else folder / split
    picture = np.array(cv2.imread(str(place / image['file_name'])))[..., ::-1].copy()
    height = round(width * picture.shape[0] / picture.shape[1])
    if plain:
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    for annotation in content['annotations']:
        if annotation['image_id'] != image['id']:
            continue
        color = np.array(COLORS[annotation['category_id']])
        mask = coco_mask.decode(annotation['segmentation']).astype(bool)
        picture[mask] = (0.78 * picture[mask] + 0.22 * color).astype(np.uint8)
        x, y, w, h = (round(v) for v in annotation['bbox'])
        cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), color.tolist(), 2)
    panels = [picture]
    if full:
        index = int(image['file_name'].split('-')[0])
        normals, outlines = (
            KINDS[kind].path(folder / split, index) for kind in ('normals', 'outlines')
        )
        panels.append(((read_exr(normals) + 1) * 127.5).astype(np.uint8))
        panels.append(OUTLINE_COLORS[cv2.imread(str(outlines), cv2.IMREAD_GRAYSCALE)])
    return np.hstack([cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in panels])


def read_exr(path: Path) -> np.ndarray:
    """Read an OpenEXR file.

    Args:
        path: The file.

    Returns:
        float32 of shape (h, w, channels).

    Raises:
        MissingRendererError: If Mitsuba is not installed.
    """
    image = np.array(load_mitsuba().Bitmap(str(path)), np.float32)
    return image.reshape(*image.shape[:2], -1)
