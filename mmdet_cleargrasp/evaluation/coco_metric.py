"""MMDetection's COCO metric with the figures of the answers, and a faster version."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.evaluation.metrics import coco_metric
from mmdet.registry import METRICS

from ..utils.errors import ConfigError
from .answers import best_threshold, f1_curve, match_answers

#: Names of the first of COCO's twelve figures, as ``CocoMetric`` has them.
FIGURES = tuple(f'bbox_{name}' for name in ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l'))
#: Figures of the answers that validation logs.
LOGGED = ('precision', 'recall', 'f1', 'share_of_images_all_right')


@METRICS.register_module()
class PlateCocoMetric(coco_metric.CocoMetric):
    """``CocoMetric``, and the figures of the answers at the best score threshold.

    COCO's figures are named ``coco/...`` as before. Those of :mod:`.answers` are ``answers/...``:
    the threshold, precision, recall and F1. It is meant for ``val_evaluator``: a threshold that is
    chosen on the test images would make their figures look better than they are.

    Args:
        *args: As in ``mmdet.evaluation.CocoMetric``.
        beta: The threshold has the best F-beta: recall counts this many times as much as
            precision. 1 for F1; 0.5 for a detector that will be used on other images than those of
            validation, where it has more false positives.
        **kwargs: As in ``mmdet.evaluation.CocoMetric``.

    Raises:
        ConfigError: ``beta`` is not a positive number.
    """

    def __init__(self, *args: Any, beta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(beta, (int, float)) or not beta > 0:
            raise ConfigError(
                f'beta of {type(self).__name__} is {beta!r}, expected a number above 0'
            )
        self.beta = beta

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the figures of both kinds.

        Args:
            results: As ``CocoMetric.process`` collects them.
        """
        figures = self.coco_figures(results)
        detections = [entry for _, found in results for entry in _to_coco(found, self.cat_ids)]
        answers = match_answers(self._coco_api.dataset, detections, self.dataset_meta['classes'])
        threshold = best_threshold(f1_curve(answers), self.beta)
        if threshold is not None:
            counted = answers.count(threshold).figures()
            figures['answers/threshold'] = threshold
            if self.beta != 1:
                figures['answers/beta'] = self.beta
            figures.update({f'answers/{name}': float(counted[name]) for name in LOGGED})
        return figures

    def coco_figures(self, results: list) -> dict[str, float]:
        """COCO's figures only.

        Args:
            results: As ``CocoMetric.process`` collects them.
        """
        return dict(super().compute_metrics(results))

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
class FasterPlateCocoMetric(PlateCocoMetric):
    """``PlateCocoMetric`` with the matching of faster-coco-eval, which is written in C++.

    The figures are equal; validation over thousands of images is shorter. It takes the place of
    the metric in ``val_evaluator`` and ``test_evaluator``.

    Args:
        *args: As in ``mmdet.evaluation.CocoMetric``.
        **kwargs: Likewise.

    Raises:
        ConfigError: Faster-coco-eval is not installed, or it is asked for more than boxes.

    Source: https://github.com/MiXaiLL76/faster_coco_eval (Apache-2.0).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            from faster_coco_eval import COCOeval_faster
        except ImportError as error:
            raise ConfigError(
                'FasterPlateCocoMetric needs the package faster-coco-eval: '
                "pip install 'mmdet_cleargrasp[fast-eval]', or use PlateCocoMetric"
            ) from error
        if self.metrics != ['bbox'] or self._coco_api is None:
            raise ConfigError("FasterPlateCocoMetric needs metric='bbox' and an ann_file")
        self._evaluation = COCOeval_faster

    def coco_figures(self, results: list) -> dict[str, float]:
        """COCO's figures of boxes.

        Args:
            results: As ``CocoMetric.process`` collects them.
        """
        self.cat_ids = self._coco_api.get_cat_ids(cat_names=self.dataset_meta['classes'])
        self.img_ids = self._coco_api.get_img_ids()
        with tempfile.TemporaryDirectory() as folder:
            prefix = self.outfile_prefix or f'{folder}/results'
            files = self.results2json([found for _, found in results], prefix)
            detections = json.loads(Path(files['bbox']).read_text())
        if not detections:
            return {}
        evaluation = self._evaluation(
            self._coco_api, self._coco_api.loadRes(detections), iouType='bbox'
        )
        evaluation.params.catIds = self.cat_ids
        evaluation.params.imgIds = self.img_ids
        evaluation.params.maxDets = list(self.proposal_nums)
        evaluation.params.iouThrs = self.iou_thrs
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        figures = dict(zip(FIGURES, (round(float(x), 3) for x in evaluation.stats), strict=False))
        return {**self._class_figures(evaluation.eval['precision']), **figures}

    def _class_figures(self, precision: np.ndarray) -> dict[str, float]:
        """AP of each class, if asked for, from (IoU, recall, class, area, detections)."""
        figures = {}
        for k, category in enumerate(
            self._coco_api.loadCats(self.cat_ids if self.classwise else [])
        ):
            values = precision[:, :, k, 0, -1]
            values = values[values > -1]
            name = f'{category["name"]}_precision'
            figures[name] = round(float(values.mean()), 3) if values.size else float('nan')
        return figures


def _to_coco(found: dict[str, Any], cat_ids: list[int]) -> list[dict[str, Any]]:
    """Detections of one image, as ``CocoMetric`` collects them, in COCO's result format."""
    corners = np.asarray(found['bboxes'], float).reshape(-1, 4)
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    return [
        {'image_id': found['img_id'], 'bbox': box, 'score': float(s), 'category_id': cat_ids[k]}
        for box, s, k in zip(boxes, found['scores'], found['labels'], strict=True)
    ]
