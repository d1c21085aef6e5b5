"""The figures of MMDetection's metric, those of the answers, and the faster library."""

import builtins
import json

import numpy as np
import pytest
import torch
from mmdet.evaluation import CocoMetric

from mmdet_cleargrasp.evaluation.coco_metric import FasterPlateCocoMetric, PlateCocoMetric
from mmdet_cleargrasp.utils.errors import ConfigError

CLASSES = ('petri_dish', 'square_dish')


@pytest.fixture
def scene(tmp_path):
    """An annotation file and detections, some on the plates and some beside them."""
    rng = np.random.default_rng(0)
    images = [{'id': i, 'file_name': f'{i}.jpg', 'width': 640, 'height': 480} for i in range(30)]
    annotations, detections = [], []
    for image in images:
        boxes = np.hstack([rng.uniform(0, 300, (4, 2)), rng.uniform(10, 180, (4, 2))])
        labels = rng.integers(0, 2, 4)
        for box, label in zip(boxes[:3], labels, strict=False):
            annotations.append(
                {'id': len(annotations) + 1, 'image_id': image['id'], 'bbox': box.tolist(),
                 'category_id': int(label) + 1, 'area': float(box[2] * box[3]), 'iscrowd': 0}
            )  # fmt: skip
        found = boxes + rng.normal(0, 6, boxes.shape)
        corners = np.hstack([found[:, :2], found[:, :2] + found[:, 2:].clip(1)])
        detections.append(
            {'img_id': image['id'], 'ori_shape': (480, 640),
             'pred_instances': {'bboxes': corners, 'scores': rng.random(4), 'labels': labels}}
        )  # fmt: skip
    categories = [{'id': k + 1, 'name': name} for k, name in enumerate(CLASSES)]
    file = tmp_path / 'truth.json'
    content = {'images': images, 'annotations': annotations, 'categories': categories}
    file.write_text(json.dumps(content | {'info': {}}))
    return file, detections


def compute(metric_type, scene):
    file, detections = scene
    metric = metric_type(ann_file=str(file), metric='bbox', classwise=True)
    metric.dataset_meta = {'classes': CLASSES}
    samples = [
        {**found, 'pred_instances': {k: torch.as_tensor(v) for k, v in found['pred_instances'].items()}}
        for found in detections
    ]  # fmt: skip
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_figures_of_the_answers_are_beside_mmdetection_s(scene):
    figures = compute(PlateCocoMetric, scene)
    answers = {name: figures.pop(name) for name in list(figures) if name.startswith('answers/')}
    assert figures == compute(CocoMetric, scene)
    assert set(answers) == {
        'answers/threshold', 'answers/precision', 'answers/recall', 'answers/f1',
        'answers/share_of_images_all_right',
    }  # fmt: skip
    assert 0.3 < answers['answers/f1'] < 1


def test_without_a_right_answer_there_is_no_threshold(scene):
    file, detections = scene
    for found in detections:
        found['pred_instances']['bboxes'] = found['pred_instances']['bboxes'] + 1000
    assert not any('answers/' in name for name in compute(PlateCocoMetric, (file, detections)))


def test_figures_of_the_faster_library_are_equal(scene):
    pytest.importorskip('faster_coco_eval')
    expected = compute(PlateCocoMetric, scene)
    assert 0.1 < expected['coco/bbox_mAP'] < 0.9
    assert compute(FasterPlateCocoMetric, scene) == expected


def test_missing_package_is_named(scene, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == 'faster_coco_eval':
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without)
    with pytest.raises(ConfigError, match='fast-eval'):
        FasterPlateCocoMetric(ann_file=str(scene[0]))


@pytest.mark.parametrize('beta', [0, -1, float('nan'), 'high'])
def test_a_beta_that_is_no_weight_is_refused_before_training(scene, beta):
    with pytest.raises(ConfigError, match='expected a number above 0'):
        PlateCocoMetric(ann_file=str(scene[0]), beta=beta)
