"""Answers on scenes whose counts are known by hand."""

import math

import numpy as np
import pytest

from mmdet_cleargrasp.evaluation.answers import (
    AnswerCounts,
    best_threshold,
    f1_curve,
    match_answers,
)

CLASSES = ('dish', 'plate')
DISH, PLATE = 1, 2  # category ids
LEFT, RIGHT = (10, 10, 100, 100), (150, 10, 100, 100)
#: Plates as (image, category, box): a dish and a plate, a dish alone, and nothing in image 3.
PLATES = [(1, DISH, LEFT), (1, PLATE, RIGHT), (2, DISH, LEFT)]
#: A lid on image 2 that counts neither way.
REGION = (2, DISH, RIGHT)


def scene(*detections, plates=PLATES, regions=(REGION,)):
    """Answers of detections (image, category, score, box)."""
    annotations = [
        {'image_id': i, 'category_id': c, 'bbox': box, 'iscrowd': int(n >= len(plates))}
        for n, (i, c, box) in enumerate([*plates, *regions])
    ]
    coco = {
        'images': [{'id': i} for i in (1, 2, 3)],
        'annotations': annotations,
        'categories': [{'id': k, 'name': name} for k, name in enumerate(CLASSES, 1)],
    }
    found = [
        {'image_id': i, 'category_id': c, 'score': s, 'bbox': box} for i, c, s, box in detections
    ]
    return match_answers(coco, found, CLASSES)


def moved(box, right):
    return (box[0] + right, *box[1:])


PERFECT = [(i, c, 0.9, box) for i, c, box in PLATES]


@pytest.mark.parametrize(
    ('detections', 'right', 'wrong', 'missed', 'any_class', 'all_right', 'clean'),
    [
        (PERFECT, 3, 0, 0, 3, 3, 1),
        ([], 0, 0, 3, 0, 1, 1),
        # Each plate taken for the other kind: right boxes, wrong answers.
        ([(i, 3 - c, 0.9, box) for i, c, box in PLATES], 0, 3, 3, 3, 1, 1),
        # IoU 2/3 is enough, IoU 1/3 is not.
        ([(2, DISH, 0.9, moved(LEFT, 20))], 1, 0, 2, 1, 2, 1),
        ([(2, DISH, 0.9, moved(LEFT, 50))], 0, 1, 3, 0, 1, 1),
        # The same plate as a dish and as a plate: the answer is the better of both.
        ([*PERFECT, (2, PLATE, 0.8, LEFT)], 3, 0, 0, 3, 3, 1),
        ([*PERFECT, (2, PLATE, 0.95, LEFT)], 2, 1, 1, 3, 2, 1),
        # A second answer on a plate that is taken, too far off to be suppressed.
        ([*PERFECT, (2, DISH, 0.8, moved(LEFT, 45))], 3, 1, 0, 3, 2, 1),
        # Half of it in the ignore region: it doesn't count. A little less: it does.
        ([*PERFECT, (2, PLATE, 0.8, moved(RIGHT, 50))], 3, 0, 0, 3, 3, 1),
        ([*PERFECT, (2, PLATE, 0.8, moved(RIGHT, 51))], 3, 1, 0, 3, 2, 1),
        # On the image without a plate.
        ([*PERFECT, (3, DISH, 0.6, LEFT)], 3, 1, 0, 3, 2, 0),
        # Below the threshold.
        ([*PERFECT, (3, DISH, 0.49, LEFT)], 3, 0, 0, 3, 3, 1),
    ],
    ids=['perfect', 'nothing found', 'classes swapped', 'enough', 'too far off', 'second class',
         'wrong class first', 'second answer', 'ignored', 'not ignored', 'negative', 'low score'],
)  # fmt: skip
def test_known_scenes(detections, right, wrong, missed, any_class, all_right, clean):
    counts = scene(*detections).count(score_thr=0.5)
    assert (counts.right, counts.wrong, counts.missed) == (right, wrong, missed)
    assert counts.right_of_any_class == any_class
    assert (counts.images_all_right, counts.images) == (all_right, 3)
    assert (counts.negatives_clean, counts.negatives) == (clean, 1)
    assert counts.precision == pytest.approx(right / max(right + wrong, 1))
    assert counts.recall == pytest.approx(right / 3)


def test_counts_by_class_add_up():
    answers = scene(*PERFECT[:2], (2, PLATE, 0.7, LEFT), (3, DISH, 0.6, LEFT))
    dish, plate = (answers.count(0.5, label) for label in (0, 1))
    assert (dish.right, dish.wrong, dish.missed) == (1, 1, 1)
    assert (plate.right, plate.wrong, plate.missed) == (1, 1, 0)
    assert plate.negatives == 2  # images 2 and 3 have none
    assert answers.confusion_matrix(0.5).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_counts_by_image_and_resampled():
    by_image = scene(*PERFECT[:1], (3, DISH, 0.6, LEFT)).count_by_image(0.5)
    assert by_image.right.tolist() == [1, 0, 0]
    assert by_image.missed.tolist() == [1, 1, 0]
    twice_the_last = by_image.weighted(np.array([[1, 1, 1], [0, 0, 2]]))
    assert twice_the_last.wrong.tolist() == [1, 2]
    assert math.isnan(twice_the_last.recall[1])  # no plate was drawn
    assert math.isnan(twice_the_last.f1[1])


def test_the_threshold_is_where_f1_is_best():
    # From 0.71 on one false positive less, from 0.81 on one plate less.
    answers = scene(PERFECT[0], PERFECT[1], (2, DISH, 0.8, LEFT), (3, DISH, 0.7, LEFT))
    curve = f1_curve(answers)
    assert curve.f1.max() == 1
    threshold = best_threshold(curve)
    assert 0.75 <= threshold <= 0.76  # the middle of 0.71 to 0.80
    assert answers.count(threshold).f1 == 1


def test_where_precision_counts_more_the_threshold_is_higher():
    # All plates with two false positives, or one plate without: F1 is 6/8 against 2/4, F0.5
    # 3.75/5.75 against 1.25/1.75.
    wrong = [(3, DISH, 0.7, LEFT), (3, DISH, 0.7, RIGHT)]
    answers = scene(PERFECT[0], *wrong, (1, PLATE, 0.5, RIGHT), (2, DISH, 0.3, LEFT))
    curve = f1_curve(answers)
    assert curve.f_beta(0.5).max() == pytest.approx(1.25 / 1.75)
    assert best_threshold(curve) <= 0.3 and best_threshold(curve, beta=0.5) > 0.7


@pytest.mark.parametrize('detections', [[], [(3, DISH, 0.9, LEFT)]])
def test_no_threshold_where_nothing_is_right(detections):
    assert best_threshold(f1_curve(scene(*detections))) is None


def test_without_a_plate_recall_is_unknown():
    counts = scene((3, DISH, 0.9, LEFT), plates=[], regions=[]).count(0.5)
    assert isinstance(counts, AnswerCounts)
    assert math.isnan(counts.recall) and math.isnan(counts.f1)
    assert counts.negatives_wrong == 1
    assert best_threshold(f1_curve(scene(plates=[], regions=[]))) is None
