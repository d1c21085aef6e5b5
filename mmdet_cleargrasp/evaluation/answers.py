"""Counting answers: the boxes after class-agnostic NMS above a score threshold.

COCO's AP ranks the boxes of each class separately, and at all scores. Users of a detector see
something else: one box per plate, above one score threshold. An answer is right if it has the class
of a plate and an IoU of at least 0.5 with it, and the plate is not matched by an answer with a
higher score. Other answers are false positives, except those with at least half of their area
within an ignore region (``iscrowd``), which are ignored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..models.postprocessing import class_agnostic_nms

IOU_THRESHOLD = 0.5
#: Minimum share of an answer's area within an ignore region for it to be ignored.
IGNORED_SHARE = 0.5
#: Minimum area in square pixels, to avoid division by zero for empty boxes.
TINY = 1e-9
#: Score thresholds of the F1 curve.
THRESHOLDS = np.round(np.arange(0.01, 1, 0.01), 2)


@dataclass(frozen=True)
class AnswerCounts:
    """Counts over the images of a test set: numbers, or arrays of one shape.

    Attributes:
        right: Answers that are right: true positives.
        wrong: Answers that are not: false positives.
        missed: Plates without a right answer: false negatives.
        right_of_any_class: Answers that are right if classes don't matter.
        images: Images.
        images_all_right: Images with a right answer for every plate and no false positive.
        negatives: Images without a plate.
        negatives_clean: Images without a plate and without a false positive.
        negatives_wrong: False positives on images without a plate.
    """

    right: np.ndarray
    wrong: np.ndarray
    missed: np.ndarray
    right_of_any_class: np.ndarray
    images: np.ndarray
    images_all_right: np.ndarray
    negatives: np.ndarray
    negatives_clean: np.ndarray
    negatives_wrong: np.ndarray

    def weighted(self, weights: np.ndarray) -> AnswerCounts:
        """Sum over images, weighted.

        Args:
            weights: (I,) or (B, I), for I images that are counted separately.

        Returns:
            Numbers, or arrays of shape (B,).
        """
        return AnswerCounts(**{name: weights @ value for name, value in vars(self).items()})

    @property
    def precision(self) -> np.ndarray:
        """Share of the answers that are right; 0 without answers."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> np.ndarray:
        """Share of the plates that have a right answer; NaN without plates."""
        return _share(self.right, self.right + self.missed, np.nan)

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of precision and recall; NaN without plates."""
        return self.f_beta(1)

    def f_beta(self, beta: float) -> np.ndarray:
        """Weighted harmonic mean of precision and recall; NaN without plates.

        Args:
            beta: Recall counts this many times as much as precision; 1 for F1.
        """
        right = (1 + beta**2) * self.right
        score = _share(right, right + self.wrong + beta**2 * self.missed)
        return np.where(np.isnan(self.recall), np.nan, score)[()]

    def figures(self) -> dict[str, np.ndarray]:
        """The figures of reports, between 0 and 1; NaN if undefined."""
        plates = self.right + self.missed
        return {
            'precision': self.precision,
            'recall': self.recall,
            'f1': self.f1,
            'precision_any_class': _share(self.right_of_any_class, self.right + self.wrong),
            'recall_any_class': _share(self.right_of_any_class, plates, np.nan),
            'share_of_images_all_right': _share(self.images_all_right, self.images, np.nan),
            'share_of_negatives_clean': _share(self.negatives_clean, self.negatives, np.nan),
        }


@dataclass(frozen=True)
class Answers:
    """The D answers in the I images of a test set, compared with its N plates.

    Answers are matched in order of decreasing score. The match of an answer does not depend on
    answers with lower scores, so one matching is valid for every score threshold.

    Attributes:
        classes: Names by class index.
        image_ids: In the order of the annotation file.
        image: (D,), index of each answer's image.
        boxes: (D, 4), left, top, width and height in pixels.
        scores: (D,), decreasing within an image.
        labels: (D,), class indices.
        right: (D,), bool: found a plate of its class.
        right_of_any_class: (D,), bool: found a plate if classes don't matter.
        ignored: (D,), bool: within an ignore region.
        plate: (D,), index of the plate that a right answer found.
        plate_image: (N,), index of each plate's image.
        plate_boxes: (N, 4), as ``boxes``.
        plate_labels: (N,), class indices.
    """

    classes: tuple[str, ...]
    image_ids: tuple[int | str, ...]
    image: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    right: np.ndarray
    right_of_any_class: np.ndarray
    ignored: np.ndarray
    plate: np.ndarray
    plate_image: np.ndarray
    plate_boxes: np.ndarray
    plate_labels: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """(D,), bool: the answer is a false positive."""
        return ~self.right & ~self.ignored

    def count_by_image(self, score_thr: float, label: int | None = None) -> AnswerCounts:
        """Count each image separately.

        Args:
            score_thr: Answers with lower scores don't count.
            label: Count the answers and plates of this class only; an image without a plate of it
                is then a negative.

        Returns:
            Counts of shape (I,).
        """
        kept = self.scores >= score_thr
        plates = np.ones(len(self.plate_image), bool)
        if label is not None:
            kept, plates = kept & (self.labels == label), self.plate_labels == label
        right = self._by_image(kept & self.right)
        wrong = self._by_image(kept & self.wrong)
        there = np.bincount(self.plate_image[plates], minlength=len(self.image_ids))
        missed, negatives = there - right, (there == 0).astype(int)
        return AnswerCounts(
            right=right,
            wrong=wrong,
            missed=missed,
            right_of_any_class=self._by_image(kept & self.right_of_any_class),
            images=np.ones(len(self.image_ids), int),
            images_all_right=((missed == 0) & (wrong == 0)).astype(int),
            negatives=negatives,
            negatives_clean=negatives * (wrong == 0),
            negatives_wrong=negatives * wrong,
        )

    def count(self, score_thr: float, label: int | None = None) -> AnswerCounts:
        """Count over all images; see :meth:`count_by_image`."""
        everything = np.ones(len(self.image_ids), int)
        return self.count_by_image(score_thr, label).weighted(everything)

    def confusion_matrix(self, score_thr: float) -> np.ndarray:
        """Count plates by their class (rows) and the class of their answer (columns).

        Right answers are on the diagonal. False positives with the box of a plate that has no right
        answer are in its row, the others in the last one.

        Args:
            score_thr: Answers with lower scores don't count.

        Returns:
            (C + 1, C + 1), int; the last row counts answers without a plate, the last column
            plates without an answer.
        """
        nothing = len(self.classes)
        matrix = np.zeros((nothing + 1, nothing + 1), int)
        kept = self.scores >= score_thr
        right = self.labels[kept & self.right]
        np.add.at(matrix, (right, right), 1)
        missed = np.ones(len(self.plate_image), bool)
        missed[self.plate[kept & self.right]] = False
        for image in range(len(self.image_ids)):
            wrong = np.flatnonzero(kept & self.wrong & (self.image == image))
            left = np.flatnonzero(missed & (self.plate_image == image))
            taken = _take_plates(self.boxes[wrong], self.plate_boxes[left])
            rows = np.append(self.plate_labels[left], nothing)[taken]  # -1, the last one, is none
            np.add.at(matrix, (rows, self.labels[wrong]), 1)
            unanswered = np.delete(self.plate_labels[left], taken[taken >= 0])
            np.add.at(matrix, (unanswered, np.full_like(unanswered, nothing)), 1)
        return matrix

    def _by_image(self, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(self.image[chosen], minlength=len(self.image_ids))


def match_answers(
    coco: Mapping[str, Any], detections: Iterable[Mapping[str, Any]], classes: Sequence[str]
) -> Answers:
    """Reduce detections to answers, and compare them with the annotated plates.

    Args:
        coco: A COCO data set: ``images``, ``annotations`` and ``categories``.
        detections: In COCO's result format; :func:`.class_agnostic_nms` is applied to them.
        classes: The classes to evaluate; others are skipped.

    Example:
        >>> coco = {
        ...     'images': [{'id': 1}],
        ...     'categories': [{'id': 7, 'name': 'dish'}],
        ...     'annotations': [{'image_id': 1, 'category_id': 7, 'bbox': [0, 0, 10, 10]}],
        ... }
        >>> found = [
        ...     {'image_id': 1, 'category_id': 7, 'bbox': [1, 0, 10, 10], 'score': 0.8},
        ...     {'image_id': 1, 'category_id': 7, 'bbox': [50, 0, 10, 10], 'score': 0.6},
        ... ]
        >>> counts = match_answers(coco, found, ['dish']).count(score_thr=0.5)
        >>> print(counts.right, counts.wrong, counts.missed)
        1 1 0
    """
    classes = tuple(classes)
    image_ids = tuple(image['id'] for image in coco['images'])
    images = {key: index for index, key in enumerate(image_ids)}
    names = {category['id']: category['name'] for category in coco['categories']}
    labels = {key: classes.index(name) for key, name in names.items() if name in classes}
    annotations = coco['annotations']
    plates = _Boxes.read((a for a in annotations if not a.get('iscrowd')), images, labels)
    regions = _Boxes.read((a for a in annotations if a.get('iscrowd')), images, labels)
    found = _suppress(_Boxes.read(detections, images, labels))
    plate = np.full(len(found.image), -1)
    any_class, ignored = plate.copy(), np.zeros(len(plate), bool)
    for index in np.unique(found.image):
        mine, theirs = found.of_image(index), plates.of_image(index)
        boxes, plate_boxes = found.boxes[mine], plates.boxes[theirs]
        same = found.labels[mine, None] == plates.labels[theirs]
        indices = np.append(theirs, -1)
        plate[mine] = indices[_take_plates(boxes, plate_boxes, same)]
        any_class[mine] = indices[_take_plates(boxes, plate_boxes)]
        ignored[mine] = _lies_within(boxes, regions.boxes[regions.of_image(index)])
    return Answers(
        classes=classes,
        image_ids=image_ids,
        image=found.image,
        boxes=found.boxes,
        scores=found.scores,
        labels=found.labels,
        right=plate >= 0,
        right_of_any_class=any_class >= 0,
        ignored=ignored,
        plate=plate,
        plate_image=plates.image,
        plate_boxes=plates.boxes,
        plate_labels=plates.labels,
    )


def f1_curve(answers: Answers, label: int | None = None) -> AnswerCounts:
    """Count at each of :data:`THRESHOLDS`, for curves of precision, recall and F1.

    Args:
        answers: Of a test set.
        label: Of one class only.

    Returns:
        Counts of shape (T,).
    """
    counts = [vars(answers.count(float(threshold), label)) for threshold in THRESHOLDS]
    return AnswerCounts(**{name: np.array([c[name] for c in counts]) for name in counts[0]})


def best_threshold(curve: AnswerCounts, beta: float = 1.0) -> float | None:
    """The score threshold with the best F-beta; the middle one of several equal ones.

    Args:
        curve: From :func:`f1_curve`.
        beta: As in :meth:`AnswerCounts.f_beta`.

    Returns:
        ``None`` where no answer is right.
    """
    scores = curve.f_beta(beta)
    best = np.flatnonzero(scores == np.max(scores))
    if not len(best) or not scores[best[0]]:
        return None
    return float(THRESHOLDS[best[len(best) // 2]])


@dataclass(frozen=True)
class _Boxes:
    """Boxes of all images, grouped by image, by decreasing score."""

    image: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    @classmethod
    def read(
        cls,
        entries: Iterable[Mapping[str, Any]],
        images: Mapping[int | str, int],
        labels: Mapping[int, int],
    ) -> _Boxes:
        """Read annotations or detections.

        Args:
            entries: In COCO's format.
            images: Indices by image id.
            labels: Class indices by category id; entries of other categories are skipped.
        """
        rows: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in entries:
            if entry['category_id'] in labels and entry['image_id'] in images:
                rows[images[entry['image_id']]].append(entry)
        ordered = [
            (image, entry['bbox'], entry.get('score', 1.0), labels[entry['category_id']])
            for image in sorted(rows)
            for entry in sorted(rows[image], key=lambda e: -e.get('score', 1.0))
        ]
        image, boxes, scores, classes = zip(*ordered, strict=True) if ordered else ((),) * 4
        return cls(
            np.array(image, int),
            np.array(boxes, float).reshape(-1, 4),
            np.array(scores, float),
            np.array(classes, int),
        )

    def of_image(self, index: int) -> np.ndarray:
        """Indices of the boxes of an image."""
        return np.arange(*np.searchsorted(self.image, (index, index + 1)))


def _suppress(found: _Boxes) -> _Boxes:
    corners = np.hstack([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]])
    kept = np.zeros(len(corners), bool)
    for index in np.unique(found.image):
        mine = found.of_image(index)
        boxes, scores = torch.from_numpy(corners[mine]), torch.from_numpy(found.scores[mine])
        kept[mine[class_agnostic_nms(boxes, scores).numpy()]] = True
    return _Boxes(*(value[kept] for value in vars(found).values()))


def _take_plates(
    boxes: np.ndarray, plates: np.ndarray, allowed: np.ndarray | None = None
) -> np.ndarray:
    """Match each answer in turn with the unmatched plate of the highest IoU.

    Args:
        boxes: (D, 4), of answers, by decreasing score.
        plates: (N, 4).
        allowed: (D, N), bool: the answer may take the plate; by default any.

    Returns:
        (D,), indices of plates; -1 for none.
    """
    taken = np.full(len(boxes), -1)
    if not len(plates):
        return taken
    overlaps = _overlaps(boxes, plates)
    iou = overlaps / np.maximum(_areas(boxes)[:, None] + _areas(plates) - overlaps, TINY)
    iou = iou if allowed is None else np.where(allowed, iou, 0)
    for answer in range(len(boxes)):
        best = int(iou[answer].argmax())
        if iou[answer, best] >= IOU_THRESHOLD:
            taken[answer] = best
            iou[:, best] = 0
    return taken


def _lies_within(boxes: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """(D,), bool: the box lies within an ignore region by :data:`IGNORED_SHARE`."""
    areas = np.maximum(_areas(boxes), TINY)[:, None]
    return (_overlaps(boxes, regions) / areas >= IGNORED_SHARE).any(axis=1)


def _overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(D, N), areas of the intersections of boxes given by left, top, width and height."""
    near = np.maximum(boxes[:, None, :2], others[:, :2])
    far = np.minimum(boxes[:, None, :2] + boxes[:, None, 2:], others[:, :2] + others[:, 2:])
    return np.prod(np.clip(far - near, 0, None), axis=2)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, 2] * boxes[:, 3]


def _share(part: np.ndarray, whole: np.ndarray, empty: float = 0.0) -> np.ndarray:
    """Share of one count in another; ``empty`` where that is 0."""
    whole = np.asarray(whole)
    return np.where(whole > 0, part / np.maximum(whole, 1), empty)[()]
