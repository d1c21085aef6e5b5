"""COCO's figures: average precision and recall of the boxes of each class, by pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ..utils.errors import DataError
from ..utils.regular_files import read_regular_file

TEST_AGAIN = 'Run tools/test.py again'
#: COCO's twelve figures, in the order of ``COCOeval.stats``.
STATS = (
    'AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large',
    'AR_1', 'AR_10', 'AR_100', 'AR_small', 'AR_medium', 'AR_large',
)  # fmt: skip


def evaluate(ann_file: str | Path, predictions: str | Path, classes: Sequence[str]) -> COCOeval:
    """Run pycocotools' box evaluation.

    Args:
        ann_file: The ground truth, in COCO's format.
        predictions: A list of detections, in COCO's result format; may be empty.
        classes: The classes to evaluate.

    Returns:
        Evaluated, accumulated and summarized.

    Raises:
        DataError: Predictions that cannot be read, or are of other images than the ground truth.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth = COCO(str(ann_file))
        # loadRes copies it; pycocotools' stubs lack the key
        truth.dataset.setdefault('info', {})  # type: ignore[typeddict-item]
        detections = read_predictions(predictions)
        others = {entry['image_id'] for entry in detections} - set(truth.getImgIds())
        if others:
            raise DataError(
                f'{predictions} has detections in image {min(others, key=str)!r}, which {ann_file} '
                f'does not list. {TEST_AGAIN}'
            )
        found = truth.loadRes(detections) if detections else COCO()
        evaluation = COCOeval(truth, found, 'bbox')
        evaluation.params.catIds = truth.getCatIds(catNms=list(classes))
        evaluation.params.imgIds = truth.getImgIds()
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def read_predictions(path: str | Path) -> list[dict[str, Any]]:
    """Read detections in COCO's result format.

    Args:
        path: The JSON file that a test wrote.

    Raises:
        DataError: It cannot be opened, is no JSON, or holds anything but detections.
    """
    try:
        detections = json.loads(read_regular_file(path))
    except OSError as error:
        raise DataError(f'cannot read {path}: {error.strerror}. {TEST_AGAIN}') from error
    except (ValueError, RecursionError) as error:
        raise DataError(f'{path} is not valid JSON: {error}. {TEST_AGAIN}') from error
    for entry in detections if isinstance(detections, list) else [detections]:
        if not _is_detection(entry):
            raise DataError(f'{path} holds {str(entry)[:80]}, expected detections. {TEST_AGAIN}')
    return detections


def _is_detection(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get('bbox'), list):
        return False
    numbers = (*entry['bbox'], entry.get('score'))
    return (
        len(numbers) == 5
        and all(isinstance(number, int | float) and abs(number) < 1e9 for number in numbers)
        and isinstance(entry.get('image_id'), int | str)
        and isinstance(entry.get('category_id'), int)
    )


def summarize(evaluation: COCOeval, classes: Sequence[str]) -> dict[str, Any]:
    """The figures of an evaluation, as plain values; ``None`` if undefined.

    Args:
        evaluation: From :func:`evaluate`.
        classes: The evaluated classes, in the file's order.

    Returns:
        COCO's figures between 0 and 1, ``images``, ``instances`` and, by class, ``per_class`` with
        AP, AP50, AP75 and ``instances``.
    """
    truth, cat_ids = evaluation.cocoGt, evaluation.params.catIds
    precision = evaluation.eval['precision'][:, :, :, 0, -1]  # IoU, recall, class
    iou = {round(float(value), 2): index for index, value in enumerate(evaluation.params.iouThrs)}
    per_class = {
        name: {
            'AP': average_precision(precision[:, :, k]),
            'AP50': average_precision(precision[iou[0.5], :, k]),
            'AP75': average_precision(precision[iou[0.75], :, k]),
            'instances': len(truth.getAnnIds(catIds=[cat_ids[k]])),
        }
        for k, name in enumerate(classes)
    }
    return {
        **{name: _known(value) for name, value in zip(STATS, evaluation.stats, strict=True)},
        'images': len(evaluation.params.imgIds),
        'instances': sum(entry['instances'] for entry in per_class.values()),
        'per_class': per_class,
    }


def average_precision(precision: np.ndarray) -> float | None:
    """The mean of precisions of a ``COCOeval``; ``None`` if undefined."""
    measured = precision[precision > -1]
    return float(measured.mean()) if measured.size else None


def _known(value: float) -> float | None:
    return float(value) if value > -1 else None
