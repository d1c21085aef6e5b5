"""Contact sheets of images with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..datasets.annotations import CocoFile, read_coco
from ..datasets.images import read_image
from ..datasets.split import Split
from ..utils.atomic_files import write_atomically
from .boxes import add_caption, draw_boxes, label_text
from .palette import class_color

BACKGROUND = 255


@dataclass(frozen=True)
class Drawing:
    """An image and its boxes.

    Attributes:
        image: uint8 (H, W, 3), RGB.
        boxes: Float (N, 4), left, top, right and bottom in pixels.
        labels: Int (N,), numbers of the classes.
        title: Stands above it.
        scores: Float (N,), of answers.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    title: str = ''
    scores: np.ndarray | None = None


def tile(drawing: Drawing, classes: Sequence[str], size: int | tuple[int, int] = 320) -> np.ndarray:
    """A drawing resized to fit a rectangle, with boxes in the colors of their classes.

    Args:
        drawing: What to draw.
        classes: Names by label.
        size: Pixels of the rectangle's width and height.

    Returns:
        uint8 (height + CAPTION_HEIGHT, width, 3), RGB.
    """
    columns, rows = (size, size) if isinstance(size, int) else size
    height, width = drawing.image.shape[:2]
    scale = min(columns / width, rows / height)
    fitted = max(1, round(width * scale)), max(1, round(height * scale))
    shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scene = cv2.resize(drawing.image, fitted, interpolation=shrinks)
    labels = [int(label) for label in drawing.labels]
    boxes = np.asarray(drawing.boxes, np.float32).reshape(-1, 4) * scale
    scores = [None] * len(labels) if drawing.scores is None else drawing.scores.tolist()
    texts = [label_text(classes[k], score) for k, score in zip(labels, scores, strict=True)]
    colors = [class_color(k) for k in labels]
    sheet = np.full((rows, columns, 3), BACKGROUND, np.uint8)
    sheet[: scene.shape[0], : scene.shape[1]] = draw_boxes(scene, boxes, texts, colors)
    return add_caption(sheet, drawing.title)


def page(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """A grid of tiles of one size.

    Example:
        >>> page([np.zeros((3, 2, 3), np.uint8)] * 3, columns=2).shape
        (6, 4, 3)
    """
    columns = min(columns, len(tiles))
    blank = np.full_like(tiles[0], BACKGROUND)
    filled = [*tiles, *[blank] * (-len(tiles) % columns)]
    rows = [np.hstack(filled[k : k + columns]) for k in range(0, len(filled), columns)]
    return np.vstack(rows)


def save(path: str | Path, image: np.ndarray) -> Path:
    """Write an RGB image in the format of its suffix; its folder is created."""
    path = Path(path)
    data = cv2.imencode(path.suffix, np.ascontiguousarray(image[..., ::-1]))[1]
    return write_atomically(path, data.tobytes())


def chosen(count: int, wanted: int) -> list[int]:
    """Evenly spaced indices.

    Example:
        >>> chosen(10, 3), chosen(2, 5)
        ([0, 3, 6], [0, 1])
    """
    wanted = min(count, wanted)
    return [k * count // wanted for k in range(wanted)]


def annotated(split: Split, count: int, name: str = '') -> tuple[list[Drawing], tuple[str, ...]]:
    """Evenly chosen images of a split with their annotated boxes.

    Args:
        split: Annotation file and images.
        count: How many at most.
        name: Begins the titles.

    Returns:
        Drawings, and the names of the classes.

    Raises:
        DataError: The annotations or an image cannot be read.
    """
    coco = read_coco(split.ann_file)
    return [_drawing(split, coco, coco.images[k], name) for k in chosen(len(coco.images), count)], (
        coco.classes
    )


def _drawing(split: Split, coco: CocoFile, image: dict, name: str) -> Drawing:
    numbers = {category['id']: k for k, category in enumerate(coco.categories)}
    mine = [
        a for a in coco.annotations if a['image_id'] == image['id'] and a['category_id'] in numbers
    ]
    boxes = [(x, y, x + w, y + h) for x, y, w, h in (a['bbox'] for a in mine)]
    title = f'{name} {image["file_name"]}' + ('' if mine else ' (no plate)')
    return Drawing(
        read_image(split.img_dir / image['file_name']),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([numbers[a['category_id']] for a in mine], int),
        title.strip(),
    )
