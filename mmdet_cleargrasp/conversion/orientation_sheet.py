"""A sheet that shows boxes with and without EXIF rotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..datasets.images import read_image
from ..visualization.contact_sheets import Drawing, page, save, tile
from .boxes import Box
from .labels import Picture

#: Number of images that are drawn, each twice.
PHOTOGRAPHS = 12
#: Tiles in a row.
COLUMNS = 4


def draw_both_ways(path: Path, pictures: Mapping[str, Picture], classes: Sequence[str]) -> None:
    """Draw images with EXIF rotation twice: boxes as written, and rotated.

    Args:
        path: Picture to write.
        pictures: By their file names; those without ``if_stored`` are not drawn.
        classes: Names of the classes.
    """
    doubtful = [(file, picture) for file, picture in pictures.items() if picture.if_stored]
    tiles = []
    for file, picture in doubtful[:PHOTOGRAPHS]:
        image = read_image(picture.path)
        for boxes, title in ((picture.boxes, 'upright'), (picture.if_stored, 'stored')):
            tiles.append(tile(_drawing(image, boxes, classes, f'{title}: {file}'), classes))
    save(path, page(tiles, COLUMNS))


def _drawing(
    image: np.ndarray, boxes: Sequence[Box], classes: Sequence[str], title: str
) -> Drawing:
    sides = np.array([box.sides for box in boxes], np.float32).reshape(-1, 4)
    labels = np.array([classes.index(box.label) for box in boxes], int)
    return Drawing(image, sides, labels, title)
