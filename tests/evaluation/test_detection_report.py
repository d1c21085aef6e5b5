"""Figures on scenes whose answer is known by hand."""

import json

import pytest

from mmdet_cleargrasp.evaluation.coco_figures import evaluate, summarize
from mmdet_cleargrasp.evaluation.detection_report import read_answers, threshold_curve, write_report
from mmdet_cleargrasp.evaluation.working_threshold import WorkingThreshold
from mmdet_cleargrasp.utils.errors import DataError

CLASSES = ('dish', 'plate')
BOXES = [  # image, category, x, y, width, height
    (1, 1, 10, 10, 100, 100),
    (1, 2, 150, 10, 100, 100),
    (2, 1, 10, 10, 100, 100),
]


@pytest.fixture
def truth(tmp_path):
    content = {
        'images': [{'id': i, 'file_name': f'{i}.jpg', 'width': 300, 'height': 200} for i in (1, 2, 3)],
        'annotations': [
            {'id': k, 'image_id': i, 'category_id': c, 'bbox': box, 'area': box[2] * box[3], 'iscrowd': 0}
            for k, (i, c, *box) in enumerate(BOXES, 1)
        ],
        'categories': [{'id': k, 'name': name} for k, name in enumerate(CLASSES, 1)],
    }  # fmt: skip
    (tmp_path / 'truth.json').write_text(json.dumps(content))
    return tmp_path / 'truth.json'


def predict(folder, detections):
    content = [
        {'image_id': i, 'category_id': c, 'bbox': box, 'score': score}
        for i, c, score, *box in detections
    ]
    (folder / 'predictions.json').write_text(json.dumps(content))
    return folder / 'predictions.json'


PERFECT = [(i, c, 0.9, *box) for i, c, *box in BOXES]
SWAPPED = [(i, 3 - c, 0.9, *box) for i, c, *box in BOXES]
# Shifted by a quarter: IoU 75 / 125 = 0.6.
SHIFTED = [(i, c, 0.9, x + 25, y, w, h) for i, c, x, y, w, h in BOXES]
INVENTED = [(3, 1, 0.95, 10, 10, 50, 50)]


@pytest.mark.parametrize(
    ('detections', 'ap', 'ap50', 'matrix'),
    [
        (PERFECT, 1.0, 1.0, [[2, 0, 0], [0, 1, 0], [0, 0, 0]]),
        (SWAPPED, 0.0, 0.0, [[0, 2, 0], [1, 0, 0], [0, 0, 0]]),
        ([], 0.0, 0.0, [[0, 0, 2], [0, 0, 1], [0, 0, 0]]),
        # Right at the IoU thresholds 0.50, 0.55 and 0.60 of ten.
        (SHIFTED, 0.3, 1.0, [[2, 0, 0], [0, 1, 0], [0, 0, 0]]),
        # A worst detection first: the dish's precision is 2/3 at most, the plate's 1.
        (PERFECT + INVENTED, (2 / 3 + 1) / 2, (2 / 3 + 1) / 2, [[2, 0, 0], [0, 1, 0], [1, 0, 0]]),
        # Below the matrix's score threshold, but counted by AP.
        ([(i, c, 0.3, *b) for i, c, _, *b in PERFECT], 1.0, 1.0, [[0, 0, 2], [0, 0, 1], [0, 0, 0]]),
    ],
    ids=['perfect', 'swapped classes', 'nothing found', 'shifted', 'one invented', 'low scores'],
)
def test_known_scenes(truth, tmp_path, detections, ap, ap50, matrix):
    evaluation = evaluate(truth, predict(tmp_path, detections), CLASSES)
    metrics = summarize(evaluation, CLASSES)
    assert metrics['AP'] == pytest.approx(ap, abs=0.005)
    assert metrics['AP50'] == pytest.approx(ap50, abs=0.005)
    answers = read_answers(truth, tmp_path / 'predictions.json', CLASSES)
    assert answers.confusion_matrix(0.5).tolist() == matrix


def test_undefined_metrics_are_none(truth, tmp_path):
    metrics = summarize(evaluate(truth, predict(tmp_path, PERFECT), CLASSES), CLASSES)
    assert metrics['AP_small'] is None
    assert metrics['AP_large'] == 1.0
    assert metrics['images'] == 3
    assert {name: entry['instances'] for name, entry in metrics['per_class'].items()} == {
        'dish': 2, 'plate': 1,
    }  # fmt: skip


@pytest.mark.parametrize('detections', [PERFECT, []], ids=['perfect', 'nothing found'])
def test_report_leaves_figures_of_both_kinds_and_pictures(truth, tmp_path, detections):
    predictions = predict(tmp_path, [*detections, (3, 1, 0.3, 10, 10, 50, 50)])
    text = write_report(truth, predictions, tmp_path, CLASSES, WorkingThreshold(0.4, 0.9))
    assert 'COCO: boxes of each class' in text
    assert 'answers: one box a plate, score ≥ 0.40' in text
    assert 'best F1 on validation (0.90)' in text
    assert '–' in text  # small boxes
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert metrics['images'] == 3
    assert metrics['coco']['AP50'] == (2 / 2 if detections else 0)
    answers, found = metrics['answers'], len(detections)
    assert answers['score_threshold'] == 0.4
    assert (answers['right'], answers['wrong'], answers['missed']) == (found, 0, 3 - found)
    assert answers['f1'] == (1 if detections else 0)
    assert answers['per_class']['plate']['right'] == bool(detections)
    for name in ('pr_curves', 'f1_curve', 'confusion_matrix'):
        assert (tmp_path / f'{name}.png').stat().st_size


def test_only_the_asked_classes_count(truth, tmp_path):
    predictions = predict(tmp_path, SWAPPED[:1] + PERFECT[1:2])
    answers = read_answers(truth, predictions, ('plate',))
    assert answers.confusion_matrix(0.5).tolist() == [[1, 0], [1, 0]]


def test_precision_and_recall_at_each_threshold(truth, tmp_path):
    found = [(i, c, 0.9 if c == 1 else 0.4, *box) for i, c, *box in BOXES] + INVENTED
    curve = threshold_curve(read_answers(truth, predict(tmp_path, found), CLASSES))
    at = {t: k for k, t in enumerate(curve['threshold'])}
    assert len(at) == 99
    assert [curve[name][at[0.3]] for name in ('precision', 'recall')] == [0.75, 1.0]
    assert [curve[name][at[0.5]] for name in ('precision', 'recall')] == [0.667, 0.667]
    assert [curve[name][at[0.99]] for name in ('precision', 'recall')] == [0.0, 0.0]


DETECTION = {'image_id': 1, 'category_id': 1, 'bbox': [10, 10, 9, 9], 'score': 0.5}


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('[{"image_id": 1,', 'is not valid JSON'),
        ('[' * 100_000, 'is not valid JSON'),
        ('', 'is not valid JSON'),
        ('{"a": 1}', 'expected detections'),
        ('3', 'expected detections'),
        ('[3]', 'expected detections'),
        (json.dumps([{**DETECTION, 'bbox': [1, 2, 3]}]), 'expected detections'),
        (json.dumps([{**DETECTION, 'bbox': 'x'}]), 'expected detections'),
        (json.dumps([{**DETECTION, 'score': None}]), 'expected detections'),
        (json.dumps([{**DETECTION, 'score': float('nan')}]), 'expected detections'),
        (json.dumps([{**DETECTION, 'category_id': [1]}]), 'expected detections'),
        (json.dumps([{**DETECTION, 'image_id': 99}]), 'does not list'),
    ],
)
def test_damaged_predictions_are_one_message(tmp_path, truth, content, message):
    (tmp_path / 'predictions.json').write_text(content)
    with pytest.raises(DataError, match=message) as error:
        evaluate(truth, tmp_path / 'predictions.json', CLASSES)
    assert 'tools/test.py' in str(error.value)
