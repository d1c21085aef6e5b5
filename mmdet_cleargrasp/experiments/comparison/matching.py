"""COCO's figures for resampled images, from one matching of detections with ground truth.

Detections are matched within an image, so matching is not repeated for resampled images: only
the curves of precision and recall change. An image that is drawn twice counts its detections
and boxes twice. All resamplings are computed at once, as products of a matrix of weights with
matrices of counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.cocoeval import COCOeval

#: COCO's ranges of box sizes, in the order of ``COCOeval.params.areaRngLbl``.
SIZES = ('all', 'small', 'medium', 'large')


@dataclass(frozen=True)
class Cell:
    """The detections of one class and one range of sizes, best first.

    Attributes:
        image: (D,), int, index of each detection's image.
        hit: (T, D), bool, matched to a true box at each of T IoU thresholds.
        counted: (T, D), bool, not ignored, nor matched to a box that is ignored.
        truths: (I,), int, true boxes of each image that are not ignored.
    """

    image: np.ndarray
    hit: np.ndarray
    counted: np.ndarray
    truths: np.ndarray


@dataclass(frozen=True)
class Matches:
    """The matched detections of one run on a test set.

    Attributes:
        images: Ids of the I images, in the order of the weights.
        classes: Names of the K classes.
        iou: (T,), the IoU thresholds.
        recall: (R,), the recalls at which precision is read.
        cells: By size, one cell per class.
    """

    images: tuple[int | str, ...]
    classes: tuple[str, ...]
    iou: np.ndarray
    recall: np.ndarray
    cells: dict[str, tuple[Cell, ...]]


@dataclass(frozen=True)
class Scores:
    """Average precision and recall by resampling, class and IoU; NaN if there is no true box.

    Attributes:
        ap: (B, K, T), between 0 and 1.
        ar: (B, K, T), recall of at most 100 detections an image, between 0 and 1.
    """

    ap: np.ndarray
    ar: np.ndarray


def read_matches(evaluation: COCOeval, classes: tuple[str, ...]) -> Matches:
    """Collect pycocotools' matches, image by image.

    Args:
        evaluation: After ``evaluate()``, as :func:`.detection_report.evaluate` gives.
        classes: Names of its categories, in their order.
    """
    params = evaluation.params
    count = len(params.imgIds)
    found: Iterator[Any] = iter(evaluation.evalImgs)
    cells: dict[str, list[Cell]] = {size: [] for size in params.areaRngLbl}
    for _ in params.catIds:
        for size in params.areaRngLbl:
            images = [next(found) for _ in range(count)]
            cells[size].append(_read_cell(images, len(params.iouThrs), params.maxDets[-1]))
    return Matches(
        tuple(params.imgIds),
        tuple(classes),
        params.iouThrs,
        params.recThrs,
        {size: tuple(row) for size, row in cells.items()},
    )


def score(matches: Matches, weights: np.ndarray, size: str = 'all') -> Scores:
    """Compute COCO's average precision and recall for every resampling of the images.

    Args:
        matches: Of one run.
        weights: (B, I), how often each image counts in each of B resamplings; a row of ones is the
            original test set.
        size: One of :data:`SIZES`.

    Returns:
        For a row of ones equal to those of pycocotools.
    """
    weights = np.asarray(weights, dtype=float)
    pairs = [_score_cell(cell, weights, matches.recall) for cell in matches.cells[size]]
    return Scores(np.stack([ap for ap, _ in pairs], 1), np.stack([ar for _, ar in pairs], 1))


def figures(scores: Scores, matches: Matches) -> dict[str, np.ndarray]:
    """Name the figures of every resampling.

    Args:
        scores: From :func:`score`.
        matches: From which they were computed.

    Returns:
        (B,) each: ``AP``, ``AP50``, ``AP75``, ``AR``, by class ``AP NAME``.
    """
    at = {round(float(value), 2): index for index, value in enumerate(matches.iou)}
    named = {'AP': _mean(scores.ap, (1, 2))}
    for name, iou in (('AP50', 0.5), ('AP75', 0.75)):
        if iou in at:
            named[name] = _mean(scores.ap[:, :, at[iou]], 1)
    named['AR'] = _mean(scores.ar, (1, 2))
    for k, name in enumerate(matches.classes):
        named[f'AP {name}'] = _mean(scores.ap[:, k], 1)
    return named


def _read_cell(images: list[dict | None], thresholds: int, max_detections: int) -> Cell:
    scores, index, hit, counted = [], [], [], []
    truths = np.zeros(len(images), dtype=int)
    for i, image in enumerate(images):
        if image is None:  # neither boxes nor detections
            continue
        matched = image['dtMatches'][:, :max_detections] > 0
        kept = ~image['dtIgnore'][:, :max_detections].astype(bool)
        scores += image['dtScores'][:max_detections]
        index += [i] * matched.shape[1]
        hit.append(matched & kept)
        counted.append(kept)
        truths[i] = np.count_nonzero(np.asarray(image['gtIgnore']) == 0)
    # pycocotools' order: stable among equal scores.
    order = np.argsort(-np.asarray(scores, dtype=float), kind='mergesort')
    none = np.zeros((thresholds, 0), dtype=bool)
    return Cell(
        np.asarray(index, dtype=int)[order],
        np.concatenate([none, *hit], axis=1)[:, order],
        np.concatenate([none, *counted], axis=1)[:, order],
        truths,
    )


def _score_cell(
    cell: Cell, weights: np.ndarray, recalls: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(B, T) average precision and recall of one class."""
    truths = weights @ cell.truths
    measured = truths > 0
    shape = (len(weights), len(cell.hit))
    ap, ar = np.full(shape, np.nan), np.full(shape, np.nan)
    weights, truths = weights[measured], truths[measured, None]
    for t in range(shape[1]):
        hits, detections = _cumulative_counts(cell, t)
        if not len(hits):
            ap[measured, t] = ar[measured, t] = 0
            continue
        found = weights @ hits.T
        precision = found / (weights @ detections.T + np.spacing(1))
        # The best precision at this recall or a higher one.
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        reached = np.searchsorted(recalls, found / truths, side='right')
        steps = np.diff(reached, axis=1, prepend=0)
        ap[measured, t] = (steps * envelope).sum(axis=1) / len(recalls)
        ar[measured, t] = found[:, -1] / truths[:, 0]
    return ap, ar


def _cumulative_counts(cell: Cell, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Hits and detections of each image down to each hit, (hits, I) both.

    Recall only grows at hits and precision only falls between them, so these points are enough.
    """
    places = np.flatnonzero(cell.hit[t])
    shape = (len(places), len(cell.truths))
    hits, detections = np.zeros(shape), np.zeros(shape)
    hits[np.arange(len(places)), cell.image[places]] = 1
    counted = np.flatnonzero(cell.counted[t])
    counted = counted[counted <= places[-1]] if len(places) else counted[:0]
    rows = np.searchsorted(places, counted, side='left')
    np.add.at(detections, (rows, cell.image[counted]), 1)
    return hits.cumsum(axis=0), detections.cumsum(axis=0)


def _mean(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Mean over defined values; NaN if there are none."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
