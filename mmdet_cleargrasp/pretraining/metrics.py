"""ClearGrasp's metrics for masks, outlines and surface normals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor

from .tasks import CHANNELS, OUTLINE_CLASSES

#: Thresholds in degrees: ClearGrasp reports the share of normals with a smaller angular error.
ANGLES = (11.25, 22.5, 30.0)
#: Bins of the histogram of angular errors, 0.1 degrees each, for mean and median.
BINS = 1800


@METRICS.register_module()
class PretrainingMetric(BaseMetric):
    """Mask IoU, outline F1 and angular error of normals, over all pixels of the dataset.

    ========================  ==================================================================
    ``mask_iou``              IoU of the transparent pixels, in [0, 1]
    ``outlines_f1``           mean F1 of the outline classes, per pixel, in [0, 1]; a class that
                              is neither in the ground truth nor predicted is skipped
    ``depth_boundary_f1``     F1 of depth boundaries
    ``contact_edge_f1``       F1 of contact edges
    ``normals_mean``          mean angular error in degrees, over pixels with a known normal that
                              are transparent (all of them without a mask)
    ``normals_median``        median angular error in degrees
    ``normals_11.25``         percentage of pixels with an angular error below 11.25 degrees; also
                              ``normals_22.5`` and ``normals_30``
    ``score``                 mean of mask IoU, outline F1 and the share of normals below 30
                              degrees, as far as the network predicts them; used by ``save_best``
    ========================  ==================================================================

    Names have the prefix ``pretrain/``.

    Example:
        >>> mask = torch.tensor([[1, 1], [0, 0]])
        >>> metric = PretrainingMetric()
        >>> metric.process({'mask': mask[None]}, [{'mask': torch.tensor([[1, 0], [0, 0]])}])
        >>> metric.evaluate(size=1)
        {'pretrain/mask_iou': 0.5, 'pretrain/score': 0.5}
    """

    default_prefix = 'pretrain'

    def process(
        self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Tensor]]
    ) -> None:
        """Add the counts of one batch.

        Args:
            data_batch: Ground truth by task, as :class:`.PackSample` packs it, in batches.
            data_samples: Predictions by task, one dict per image.
        """
        for index, predicted in enumerate(data_samples):
            truth = {t: data_batch[t][index].to(p.device) for t, p in predicted.items()}
            mask = data_batch['mask'][index] if 'mask' in data_batch else None
            self.results.append(_count(predicted, truth, mask))

    def compute_metrics(self, results: list[dict[str, np.ndarray]]) -> dict[str, float]:
        """Compute the metrics from the counts of all images.

        Args:
            results: Confusion matrices and histograms by task, one dict per image.

        Returns:
            Metrics by name, without the prefix.
        """
        totals = {task: np.sum([r[task] for r in results], axis=0) for task in results[0]}
        figures: dict[str, float] = {}
        shares = []
        if 'mask' in totals:
            figures['mask_iou'] = _iou(totals['mask'])
            shares.append(figures['mask_iou'])
        if 'outlines' in totals:
            scores = [_f1(totals['outlines'], k) for k in range(1, CHANNELS['outlines'])]
            names = OUTLINE_CLASSES[1:]
            figures |= {f'{n}_f1': s for n, s in zip(names, scores, strict=True)}
            figures['outlines_f1'] = float(np.nanmean(scores))
            shares.append(figures['outlines_f1'])
        if 'normals' in totals:
            figures |= _angles(totals['normals'])
            shares.append(figures[f'normals_{ANGLES[-1]:g}'] / 100)
        return figures | {'score': float(np.nanmean(shares))}


def _count(
    predicted: dict[str, Tensor], truth: dict[str, Tensor], mask: Tensor | None
) -> dict[str, np.ndarray]:
    counts: dict[str, np.ndarray] = {
        task: _confusion(predicted[task], truth[task], CHANNELS[task])
        for task in ('mask', 'outlines')
        if task in predicted
    }
    if 'normals' in predicted:
        known = truth['normals'].abs().sum(dim=0) > 0
        known = known if mask is None else known & (mask.to(known.device) > 0)
        cosine = (predicted['normals'] * truth['normals']).sum(dim=0)[known]
        degrees = torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))
        counts['normals'] = torch.histc(degrees.float(), BINS, 0, 180).long().cpu().numpy()
    return counts


def _confusion(predicted: Tensor, truth: Tensor, classes: int) -> np.ndarray:
    """Pixels by true class (row) and predicted class (column)."""
    pairs = torch.bincount((truth * classes + predicted).flatten(), minlength=classes**2)
    return pairs.reshape(classes, classes).cpu().numpy()


def _iou(confusion: np.ndarray) -> float:
    union = confusion[1].sum() + confusion[:, 1].sum() - confusion[1, 1]
    return float(confusion[1, 1] / union) if union else math.nan


def _f1(confusion: np.ndarray, label: int) -> float:
    both = confusion[label].sum() + confusion[:, label].sum()
    return float(2 * confusion[label, label] / both) if both else math.nan


def _angles(histogram: np.ndarray) -> dict[str, float]:
    middles = (np.arange(BINS) + 0.5) * 180 / BINS
    total = max(histogram.sum(), 1)
    cumulated = np.cumsum(histogram) / total
    figures = {
        'normals_mean': float((histogram * middles).sum() / total),
        'normals_median': float(middles[min(int(np.searchsorted(cumulated, 0.5)), BINS - 1)]),
    }
    for angle in ANGLES:
        below = histogram[middles < angle].sum() / total
        figures[f'normals_{angle:g}'] = float(100 * below)
    return figures
