"""MMDetection's COCO metric with the figures of the answers beside it, and a faster one."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
from mmdet.evaluation.metrics import coco_metric
from mmdet.registry import METRICS

from ..utils.errors import ConfigError
from .answers import best_threshold, f1_curve, match_answers

#: Figures of the answers that validation logs.
LOGGED = ('precision', 'recall', 'f1', 'share_of_images_all_right')


@METRICS.register_module()
class PlateCocoMetric(coco_metric.CocoMetric):
    """``CocoMetric``, and the figures of the answers at the score threshold with the best F1.

    COCO's figures are named ``coco/...`` as before. Those of :mod:`.answers` are ``answers/...``:
    the threshold, precision, recall and F1. It is meant for ``val_evaluator``: a threshold that is
    chosen on the test images would make their figures look better than they are.

    Args:
        *args: As in ``mmdet.evaluation.CocoMetric``.
        **kwargs: Likewise.
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the figures of both kinds.

        Args:
            results: As ``CocoMetric.process`` collects them.
        """
        figures = dict(super().compute_metrics(results))
        detections = [entry for _, found in results for entry in _to_coco(found, self.cat_ids)]
        answers = match_answers(self._coco_api.dataset, detections, self.dataset_meta['classes'])
        threshold = best_threshold(f1_curve(answers))
        if threshold is not None:
            counted = answers.count(threshold).figures()
            figures['answers/threshold'] = threshold
            figures.update({f'answers/{name}': float(counted[name]) for name in LOGGED})
        return figures

    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the figures, as ``BaseMetric`` does, with a prefix for each kind.

        Args:
            size: Number of images.
        """
        # BaseMetric puts CocoMetric's prefix before every name.
        prefix = f'{self.prefix}/answers/'
        return {
            name.replace(prefix, 'answers/'): value
            for name, value in super().evaluate(size).items()
        }


@METRICS.register_module()
class FasterCocoMetric(PlateCocoMetric):
    """``PlateCocoMetric`` with the matching of faster-coco-eval, which is written in C++.

    The figures are equal; validation over thousands of images is shorter. It takes the place of
    the metric in ``val_evaluator`` and ``test_evaluator``.

    Args:
        *args: As in ``mmdet.evaluation.CocoMetric``.
        **kwargs: Likewise.

    Raises:
        ConfigError: Faster-coco-eval is not installed.

    Source: https://github.com/MiXaiLL76/faster_coco_eval (Apache-2.0).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            from faster_coco_eval import COCOeval_faster
        except ImportError as error:
            raise ConfigError(
                'FasterCocoMetric needs the package faster-coco-eval: '
                "pip install 'mmdet_cleargrasp[fast-eval]', or use PlateCocoMetric"
            ) from error
        self._evaluation = COCOeval_faster

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the figures of both kinds.

        Args:
            results: As ``CocoMetric.process`` collects them.
        """
        # MMDetection has no other place for another evaluation than the name in its module.
        names = dict.fromkeys(('COCOeval', 'COCOevalMP'), self._evaluation)
        with patch.multiple(coco_metric, **names):
            return super().compute_metrics(results)


def _to_coco(found: dict[str, Any], cat_ids: list[int]) -> list[dict[str, Any]]:
    """Detections of one image, as ``CocoMetric`` collects them, in COCO's result format."""
    corners = np.asarray(found['bboxes'], float).reshape(-1, 4)
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    return [
        {'image_id': found['img_id'], 'bbox': box, 'score': float(s), 'category_id': cat_ids[k]}
        for box, s, k in zip(boxes, found['scores'], found['labels'], strict=True)
    ]
