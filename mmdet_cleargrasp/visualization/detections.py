"""Images of detections: boxes with labels, and crops of plates."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import supervision as sv
from PIL import Image

from ..utils.atomic_files import write_atomically
from .boxes import draw_boxes, label_text
from .palette import class_color

#: Maximum side of a JPEG.
MAX_JPEG = 65_500


def draw_detections(image: np.ndarray, detections: sv.Detections) -> np.ndarray:
    """Draw boxes, each with its class and score, in the color of its class.

    Args:
        image: uint8 (H, W, 3), RGB; is not changed.
        detections: Of :class:`.PlateDetector`.

    Returns:
        uint8 (H, W, 3), RGB.

    Example:
        >>> image = np.full((48, 64, 3), 255, np.uint8)
        >>> found = sv.Detections(
        ...     xyxy=np.array([[8.0, 20.0, 40.0, 44.0]]), confidence=np.array([0.9]),
        ...     class_id=np.array([0]), data={'class_name': np.array(['petri_dish'])},
        ... )
        >>> drawn = draw_detections(image, found)
        >>> drawn.shape, bool((drawn != image).any())
        ((48, 64, 3), True)
    """
    names, scores, labels = (
        detections.data['class_name'],
        detections.confidence,
        detections.class_id,
    )
    assert scores is not None and labels is not None  # detections of a detector have both
    texts = [label_text(name, score) for name, score in zip(names, scores, strict=True)]
    colors = [class_color(label) for label in labels]
    return draw_boxes(image, detections.xyxy, texts, colors)


def cut_out(image: np.ndarray, box: np.ndarray, margin: float = 0.0) -> np.ndarray | None:
    """The part of an image inside a box; ``None`` if it is empty.

    Args:
        image: uint8 (H, W, 3).
        box: (4,) as x1, y1, x2, y2 in pixels; is widened to whole ones.
        margin: Added on each side as far as the image goes, as a fraction of the box's width and
            height.

    Example:
        >>> cut_out(np.zeros((48, 64, 3), np.uint8), np.array([10.4, 5.0, 20.1, 60.0])).shape
        (43, 11, 3)
    """
    height, width = image.shape[:2]
    around = margin * (box[2:] - box[:2])
    box = np.concatenate([box[:2] - around, box[2:] + around])
    x1, y1 = np.floor(box[:2]).astype(int).clip(0)
    x2, y2 = np.minimum(np.ceil(box[2:]).astype(int), (width, height))
    return image[y1:y2, x1:x2] if x2 > x1 and y2 > y1 else None


def save_jpeg(image: np.ndarray, path: Path) -> None:
    """Save an RGB image as JPEG and create its folders; larger images than JPEG allows are shrunk.

    Args:
        image: uint8 (H, W, 3), RGB.
        path: The file.
    """
    picture = Image.fromarray(image)
    picture.thumbnail((MAX_JPEG, MAX_JPEG))  # only makes smaller
    content = io.BytesIO()
    picture.save(content, 'JPEG', quality=90)
    write_atomically(
        path, content.getvalue(), sync=False
    )  # there may be thousands, and they can be drawn again
