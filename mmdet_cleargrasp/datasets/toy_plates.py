"""A tiny drawn data set of plates, to try and test the tools.

The images are simple drawings, made in a second: they exercise the code, but a detector cannot
learn from them how plates look in photographs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..utils.atomic_files import write_atomically, write_json
from ..utils.errors import DataError

CLASSES = ('petri_dish', 'square_dish', 'multiwell_plate')
SPLITS = ('train', 'val')


def write_toy_plates(
    out_dir: str | Path, train: int = 24, val: int = 8, size: int = 256, seed: int = 0
) -> Path:
    """Draw a data set in the layout of ``data/plates/``.

    Args:
        out_dir: Receives ``annotations/``, ``train/`` and ``val/``.
        train: Images to train on.
        val: Images to validate on. Every eighth image of a split has no plate.
        size: Pixels of an image's longer side; the shorter is three quarters.
        seed: The same seed gives the same files.

    Returns:
        ``out_dir``.

    Raises:
        DataError: Images too small for a plate.

    Example:
        >>> import tempfile
        >>> root = write_toy_plates(tempfile.mkdtemp(), train=2, val=1, size=64)
        >>> sorted(path.name for path in root.iterdir())
        ['annotations', 'train', 'val']
    """
    if size < 48:
        raise DataError(f'size={size}: plates need at least 48 pixels to be drawn')
    out_dir = Path(out_dir)
    (out_dir / 'annotations').mkdir(parents=True, exist_ok=True)
    for index, (split, count) in enumerate(zip(SPLITS, (train, val), strict=True)):
        (out_dir / split).mkdir(exist_ok=True)
        coco = _draw_split(out_dir / split, count, size, np.random.default_rng([seed, index]))
        write_json(out_dir / 'annotations' / f'{split}.json', coco, indent=None)
    return out_dir


def _draw_split(folder: Path, count: int, size: int, rng: np.random.Generator) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id in range(1, count + 1):
        name = f'{image_id:04d}.jpg'
        picture, boxes = _draw_scene(size, rng, plates=0 if image_id % 8 == 0 else 2)
        _, content = cv2.imencode('.jpg', picture)
        write_atomically(folder / name, content.tobytes(), sync=False)
        height, width = picture.shape[:2]
        images.append({'id': image_id, 'file_name': name, 'width': width, 'height': height})
        for label, box in boxes:
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': image_id,
                    'category_id': label + 1,
                    'bbox': box,
                    'area': box[2] * box[3],
                    'iscrowd': 0,
                }
            )
    categories = [{'id': k + 1, 'name': name} for k, name in enumerate(CLASSES)]
    return {'images': images, 'annotations': annotations, 'categories': categories}


def _draw_scene(
    size: int, rng: np.random.Generator, plates: int
) -> tuple[np.ndarray, list[tuple[int, list[int]]]]:
    """A bench with a plate in each of ``plates`` halves of the image (at most two)."""
    height, width = size * 3 // 4, size
    picture = rng.normal(rng.uniform(120, 215), 6, (height, width, 3)).clip(0, 255)
    picture = cv2.GaussianBlur(picture.astype(np.uint8), (3, 3), 0)
    boxes = []
    for half in range(plates):
        label = int(rng.integers(len(CLASSES)))
        extent = int(rng.uniform(0.3, 0.44) * width)
        aspect = 0.67 if label == 2 else 1.0
        box_w, box_h = extent, round(extent * aspect)
        x = half * width // 2 + int(rng.integers(2, width // 2 - box_w - 1))
        y = int(rng.integers(2, height - box_h - 1))
        DRAWERS[label](picture, x, y, box_w, box_h, tuple(int(v) for v in rng.integers(40, 110, 3)))
        boxes.append((label, [x, y, box_w, box_h]))
    return picture, boxes


def _draw_petri_dish(picture: np.ndarray, x: int, y: int, w: int, h: int, color: tuple) -> None:
    center, radius = (x + w // 2, y + h // 2), w // 2
    cv2.circle(picture, center, radius - 1, color, 2, cv2.LINE_AA)
    cv2.circle(picture, center, int(radius * 0.88), color, 1, cv2.LINE_AA)


def _draw_square_dish(picture: np.ndarray, x: int, y: int, w: int, h: int, color: tuple) -> None:
    cv2.rectangle(picture, (x + 1, y + 1), (x + w - 2, y + h - 2), color, 2, cv2.LINE_AA)
    for k in (1, 2):
        cv2.line(picture, (x + w * k // 3, y), (x + w * k // 3, y + h - 1), color, 1)
        cv2.line(picture, (x, y + h * k // 3), (x + w - 1, y + h * k // 3), color, 1)


def _draw_multiwell_plate(
    picture: np.ndarray, x: int, y: int, w: int, h: int, color: tuple
) -> None:
    cv2.rectangle(picture, (x + 1, y + 1), (x + w - 2, y + h - 2), color, 2, cv2.LINE_AA)
    pitch = w / 6.6
    for row, column in np.ndindex(4, 6):
        center = (round(x + pitch * (column + 0.8)), round(y + pitch * (row + 0.7)))
        cv2.circle(picture, center, max(int(pitch * 0.38), 1), color, 1, cv2.LINE_AA)


DRAWERS: tuple[Callable[..., None], ...] = (
    _draw_petri_dish,
    _draw_square_dish,
    _draw_multiwell_plate,
)
