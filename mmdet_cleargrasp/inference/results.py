"""Detections as rows of a table, as COCO's JSON, and in millimeters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import supervision as sv

#: Columns of ``detections.csv``; lengths in pixels of the upright image unless in mm.
COLUMNS = (
    'image', 'width', 'height', 'class', 'score', 'x', 'y', 'box_width', 'box_height',
    'px_per_mm', 'scale_boxes', 'box_width_mm', 'box_height_mm', 'crop',
)  # fmt: skip

#: Columns of ``images.csv``; those of the classes stand after ``detections``.
IMAGE_COLUMNS = (
    'image', 'width', 'height', 'detections', 'px_per_mm', 'scale_boxes', 'note', 'problem',
)  # fmt: skip

#: The scale in mm uses boxes with at least this score, ...
SCALE_SCORE = 0.5
#: ... whose longer sides differ from their median by at most this fraction of it, ...
SCALE_TOLERANCE = 0.1
#: ... and which are this fraction of the image's side, or one pixel, away from its edges.
SCALE_MARGIN = 0.002


@dataclass(frozen=True)
class Scale:
    """Pixels per millimeter of one image, or the reason why there is no scale.

    Attributes:
        px_per_mm: ``None`` if the boxes give no scale.
        boxes: The number of boxes that it is the median of.
        problem: The problem; empty if all boxes agree.
    """

    px_per_mm: float | None = None
    boxes: int = 0
    problem: str = ''


def to_rows(
    name: str,
    size: tuple[int, int],
    detections: sv.Detections,
    scale: Scale | None = None,
    crops: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """One image's detections as rows of a table.

    Args:
        name: The image.
        size: Its width and height in pixels.
        detections: Of :class:`.PlateDetector`.
        scale: Of :func:`find_scale`.
        crops: A file for each detection, or none.

    Returns:
        By :data:`COLUMNS`; ``x`` and ``y`` are the box's upper left corner.

    Example:
        >>> found = sv.Detections(
        ...     xyxy=np.array([[10.0, 20.0, 110.0, 120.0]]), confidence=np.array([0.91]),
        ...     class_id=np.array([0]), data={'class_name': np.array(['petri_dish'])},
        ... )
        >>> row = to_rows('day_3.jpg', (640, 480), found, Scale(2.0, 1))[0]
        >>> row['class'], row['score'], row['x'], row['box_width'], row['box_width_mm']
        ('petri_dish', 0.91, 10.0, 100.0, 50.0)
    """
    px_per_mm = scale.px_per_mm if scale else None
    scores = scores_of(detections)
    rows = []
    for index, (x1, y1, x2, y2) in enumerate(detections.xyxy.tolist()):
        lengths = [x2 - x1, y2 - y1]
        values = [
            name,
            *size,
            str(detections.data['class_name'][index]),
            round(float(scores[index]), 4),
            *(round(v, 2) for v in (x1, y1, *lengths)),
            *((round(px_per_mm, 4), scale.boxes) if scale and px_per_mm else ('', '')),
            *(round(v / px_per_mm, 2) if px_per_mm else '' for v in lengths),
            crops[index] if crops else '',
        ]
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def find_scale(
    detections: sv.Detections,
    diameter_mm: float,
    class_name: str | None = None,
    size: tuple[int, int] | None = None,
) -> Scale:
    """Pixels per millimeter, from round plates of known diameter.

    The box of a round plate is a square with the plate's diameter if seen from above; from other
    angles, its longer side is the diameter. Boxes are used if their score is high
    (:data:`SCALE_SCORE`) and the image border does not cut them off; more than half of them have to
    agree within :data:`SCALE_TOLERANCE`.

    Args:
        detections: Of one image.
        diameter_mm: The known diameter.
        class_name: The class that has it; by default all classes.
        size: Width and height of the image in pixels; without it, no box is considered cut off.

    Returns:
        The median over the boxes that agree.

    Example:
        >>> found = sv.Detections(
        ...     xyxy=np.array([[0.0, 0.0, 180.0, 170.0], [0.0, 0.0, 300.0, 290.0]]),
        ...     confidence=np.array([0.9, 0.3]), data={'class_name': np.array(['dish', 'dish'])},
        ... )
        >>> find_scale(found, diameter_mm=90)
        Scale(px_per_mm=2.0, boxes=1, problem='')
    """
    what = class_name or 'any class'
    if class_name is not None:
        detections = select(detections, np.asarray(detections.data['class_name']) == class_name)
    if not len(detections):
        return Scale(problem=f'no scale in mm: no box of {what}')
    detections = select(detections, scores_of(detections) >= SCALE_SCORE)
    if not len(detections):
        return Scale(problem=f'no scale in mm: no box of {what} with a score of {SCALE_SCORE}')
    if size is not None:
        detections = select(detections, ~_touches_edge(detections.xyxy, size))
    if not len(detections):
        return Scale(problem=f"no scale in mm: the image's edge cuts off every box of {what}")
    longer = np.sort((detections.xyxy[:, 2:] - detections.xyxy[:, :2]).max(axis=1))
    agreeing = _largest_agreeing(longer)
    others = len(longer) - len(agreeing)
    if len(agreeing) <= others:
        return Scale(
            problem=f'no scale in mm: boxes of {what} disagree, their longer sides are '
            f'{longer[0]:.0f} to {longer[-1]:.0f} px'
        )
    problem = f'{others} of {len(longer)} boxes of {what} have another size' if others else ''
    return Scale(float(np.median(agreeing) / diameter_mm), len(agreeing), problem)


def select(detections: sv.Detections, chosen: np.ndarray) -> sv.Detections:
    """Some of the detections.

    Args:
        detections: Of one image.
        chosen: A mask, (N,) of bool, or indices.
    """
    # By a name, supervision returns a column of the data, which its annotation leaves open.
    return cast(sv.Detections, detections[chosen])


def scores_of(detections: sv.Detections) -> np.ndarray:
    """The scores, (N,), that detections of a detector always have."""
    assert detections.confidence is not None
    return detections.confidence


def labels_of(detections: sv.Detections) -> np.ndarray:
    """The classes' indices, (N,), that detections of a detector always have."""
    assert detections.class_id is not None
    return detections.class_id


def _touches_edge(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which boxes may be cut off by the image border, (N,) of bool."""
    margin = np.maximum(np.array(size) * SCALE_MARGIN, 1.0)
    beyond = np.hstack([boxes[:, :2] < margin, boxes[:, 2:] > np.array(size) - margin])
    return np.any(beyond, axis=1)


def _largest_agreeing(lengths: np.ndarray) -> np.ndarray:
    """The largest group of lengths within the tolerance around one of them; lengths are sorted."""
    groups = [lengths[np.abs(lengths - center) <= SCALE_TOLERANCE * center] for center in lengths]
    return max(groups, key=len)


def to_coco(
    images: Iterable[dict[str, Any]], rows: Iterable[dict[str, Any]], classes: Sequence[str]
) -> dict[str, Any]:
    """Images and rows as a COCO data set whose annotations have scores.

    Labeling tools can open it; its ``annotations`` are in COCO's result format.

    Args:
        images: ``image``, ``width`` and ``height`` of each, with its detections or without any.
        rows: Of :func:`to_rows`.
        classes: Names by class id; categories are numbered from 1.

    Example:
        >>> image = {'image': 'a.jpg', 'width': 640, 'height': 480}
        >>> to_coco([image], [], ['petri_dish'])['images']
        [{'id': 1, 'file_name': 'a.jpg', 'width': 640, 'height': 480}]
    """
    images = list(images)
    image_ids = {image['image']: k for k, image in enumerate(images, 1)}
    return {
        'images': [coco_image(k, image) for k, image in enumerate(images, 1)],
        'annotations': [
            coco_annotation(k, image_ids[row['image']], row, classes)
            for k, row in enumerate(rows, 1)
        ],
        'categories': coco_categories(classes),
    }


def coco_image(number: int, image: dict[str, Any]) -> dict[str, Any]:
    """An entry of COCO's ``images``."""
    return {
        'id': number,
        'file_name': image['image'],
        'width': image['width'],
        'height': image['height'],
    }


def coco_annotation(
    number: int, image_id: int, row: dict[str, Any], classes: Sequence[str]
) -> dict[str, Any]:
    """An entry of COCO's ``annotations``, with its score."""
    return {
        'id': number,
        'image_id': image_id,
        'category_id': list(classes).index(row['class']) + 1,
        'bbox': [row['x'], row['y'], row['box_width'], row['box_height']],
        'area': round(row['box_width'] * row['box_height'], 2),
        'iscrowd': 0,
        'score': row['score'],
    }


def coco_categories(classes: Sequence[str]) -> list[dict[str, Any]]:
    """COCO's ``categories``."""
    return [{'id': k, 'name': name} for k, name in enumerate(classes, 1)]
