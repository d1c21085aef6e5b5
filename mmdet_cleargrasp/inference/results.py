"""Detections as rows, as COCO's JSON, and with a length in millimeters."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv

from ..utils.atomic_files import write_atomically

#: Columns of ``detections.csv``; lengths in pixels of the upright image, but for those in mm.
COLUMNS = (
    'image', 'width', 'height', 'class', 'score', 'x', 'y', 'box_width', 'box_height',
    'px_per_mm', 'box_width_mm', 'box_height_mm', 'crop',
)  # fmt: skip

#: What makes spreadsheets take text for a formula.
FORMULA_STARTS = ('=', '+', '-', '@', '\t', '\r')


def to_rows(
    name: str,
    size: tuple[int, int],
    detections: sv.Detections,
    px_per_mm: float | None = None,
    crops: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """One image's detections as rows of a table.

    Args:
        name: Of the image.
        size: Its width and height in pixels.
        detections: Of :class:`.PlateDetector`.
        px_per_mm: Pixels a millimeter, see :func:`find_scale`.
        crops: A file for each detection, or none.

    Returns:
        By :data:`COLUMNS`; ``x`` and ``y`` are the box's upper left corner.

    Example:
        >>> found = sv.Detections(
        ...     xyxy=np.array([[10.0, 20.0, 110.0, 120.0]]), confidence=np.array([0.91]),
        ...     class_id=np.array([0]), data={'class_name': np.array(['petri_dish'])},
        ... )
        >>> row = to_rows('day_3.jpg', (640, 480), found, px_per_mm=2.0)[0]
        >>> row['class'], row['score'], row['x'], row['box_width'], row['box_width_mm']
        ('petri_dish', 0.91, 10.0, 100.0, 50.0)
    """
    rows = []
    for index, (x1, y1, x2, y2) in enumerate(detections.xyxy.tolist()):
        lengths = [x2 - x1, y2 - y1]
        in_mm = [round(v / px_per_mm, 2) for v in lengths] if px_per_mm else ['', '']
        values = [
            name,
            *size,
            str(detections['class_name'][index]),
            round(float(detections.confidence[index]), 4),
            *(round(v, 2) for v in (x1, y1, *lengths)),
            round(px_per_mm, 4) if px_per_mm else '',
            *in_mm,
            crops[index] if crops else '',
        ]
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def find_scale(
    detections: sv.Detections, diameter_mm: float, class_name: str | None = None
) -> float | None:
    """Pixels a millimeter, from plates whose diameter is known.

    A round plate that is seen from straight above has a square box of its diameter; one that is
    seen from aside has its diameter along the box's longer side.

    Args:
        detections: Of one image.
        diameter_mm: The known diameter.
        class_name: The class that has it; by default every one.

    Returns:
        The median over the plates of that class; ``None`` without any.

    Example:
        >>> found = sv.Detections(
        ...     xyxy=np.array([[0.0, 0.0, 180.0, 170.0]]),
        ...     data={'class_name': np.array(['petri_dish'])},
        ... )
        >>> find_scale(found, diameter_mm=90)
        2.0
    """
    if class_name is not None:
        detections = detections[detections['class_name'] == class_name]
    if not len(detections):
        return None
    sides = detections.xyxy[:, 2:] - detections.xyxy[:, :2]
    return float(np.median(sides.max(axis=1)) / diameter_mm)


def to_coco(
    images: Iterable[dict[str, Any]], rows: Iterable[dict[str, Any]], classes: Sequence[str]
) -> dict[str, Any]:
    """Images and rows as a COCO data set whose annotations have scores.

    Labeling tools open it, and its ``annotations`` alone are COCO's result format.

    Args:
        images: ``image``, ``width`` and ``height`` of each, with its detections or
            without any.
        rows: Of :func:`to_rows`.
        classes: Names by class id; categories are numbered from 1.

    Example:
        >>> image = {'image': 'a.jpg', 'width': 640, 'height': 480}
        >>> to_coco([image], [], ['petri_dish'])['images']
        [{'id': 1, 'file_name': 'a.jpg', 'width': 640, 'height': 480}]
    """
    images = list(images)
    image_ids = {image['image']: k for k, image in enumerate(images, 1)}
    category_ids = {name: k for k, name in enumerate(classes, 1)}
    annotations = [
        {
            'id': k,
            'image_id': image_ids[row['image']],
            'category_id': category_ids[row['class']],
            'bbox': [row['x'], row['y'], row['box_width'], row['box_height']],
            'area': round(row['box_width'] * row['box_height'], 2),
            'iscrowd': 0,
            'score': row['score'],
        }
        for k, row in enumerate(rows, 1)
    ]
    return {
        'images': [
            {
                'id': image_ids[image['image']],
                'file_name': image['image'],
                'width': image['width'],
                'height': image['height'],
            }
            for image in images
        ],
        'annotations': annotations,
        'categories': [{'id': k, 'name': name} for name, k in category_ids.items()],
    }


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write a table with a heading; spreadsheets recognize its encoding by the mark at its start.

    Args:
        path: The file.
        columns: The heading.
        rows: Values by column. Text that a spreadsheet would run as a formula, as
            a file may be named, gets an apostrophe before it.
    """
    stream = io.StringIO(newline='')
    table = csv.DictWriter(stream, columns)
    table.writeheader()
    table.writerows({name: _no_formula(value) for name, value in row.items()} for row in rows)
    write_atomically(path, stream.getvalue().encode('utf-8-sig'))


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
