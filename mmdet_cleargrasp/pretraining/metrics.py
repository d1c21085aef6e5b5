"""ClearGrasp's metrics of mask, outlines and normals."""

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

#: Angles in degrees under which ClearGrasp counts the share of normals.
ANGLES = (11.25, 22.5, 30.0)
#: Bins of the histogram from which mean and median angle come: a tenth of a degree each.
BINS = 1800


@METRICS.register_module()
class PretrainingMetric(BaseMetric):
    """Mask IoU, outline F1 and the angles between normals, over all pixels of the data set.

    ========================  ==================================================================
    ``mask_iou``              of the transparent pixels, in [0, 1]
    ``outlines_f1``           mean of the outline classes' F1, pixel by pixel, in [0, 1]; a class
                              that is neither there nor predicted does not count
    ``depth_boundary_f1`` …   of each
    ``normals_mean``          angle in degrees, over transparent pixels where the mask is known
    ``normals_median``        likewise
    ``normals_11.25`` …       per cent of these pixels whose angle is below
    ``score``                 mean of mask IoU, outline F1 and the share under 30 degrees, of those
                              that the network predicts: what the best checkpoint is chosen by
    ========================  ==================================================================
    """

    default_prefix = 'pretrain'

    def process(
        self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Tensor]]
    ) -> None:
        """Count one batch.

        Args:
            data_batch: With the truth by task, as :class:`.PackSample` packs it.
            data_samples: What the network predicts, by image.
        """
        for index, predicted in enumerate(data_samples):
            truth = {t: data_batch[t][index].to(p.device) for t, p in predicted.items()}
            mask = data_batch['mask'][index] if 'mask' in data_batch else None
            self.results.append(_count(predicted, truth, mask))

    def compute_metrics(self, results: list[dict[str, np.ndarray]]) -> dict[str, float]:
        """Turn the counts of all batches into figures."""
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
