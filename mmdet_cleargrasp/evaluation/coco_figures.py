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
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth = COCO(str(ann_file))
        # loadRes copies it; pycocotools' stubs lack the key
        truth.dataset.setdefault('info', {})  # type: ignore[typeddict-item]
        detections = json.loads(Path(predictions).read_text(encoding='utf-8'))
        found = truth.loadRes(detections) if detections else COCO()
        evaluation = COCOeval(truth, found, 'bbox')
        evaluation.params.catIds = truth.getCatIds(catNms=list(classes))
        evaluation.params.imgIds = truth.getImgIds()
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def summarize(evaluation: COCOeval, classes: Sequence[str]) -> dict[str, Any]:
    """The figures of an evaluation, as plain values; ``None`` where nothing could be measured.

    Args:
        evaluation: From :func:`evaluate`.
        classes: The evaluated classes, in the file's order.

    Returns:
        COCO's figures between 0 and 1, ``images``, ``instances`` and, by class,
        ``per_class`` with AP, AP50, AP75 and ``instances``.
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
    """The mean of precisions of a ``COCOeval``; ``None`` where nothing could be measured."""
    measured = precision[precision > -1]
    return float(measured.mean()) if measured.size else None


def _known(value: float) -> float | None:
    return float(value) if value > -1 else None
