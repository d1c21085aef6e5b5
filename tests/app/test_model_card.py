"""Metrics of the model, from a file next to it or from a test report."""

import json

import pytest

from mmdet_cleargrasp.app.model_card import read_quality
from mmdet_cleargrasp.evaluation.report_files import REPORT_FILES, finish_report
from mmdet_cleargrasp.inference.shipped import shipped_detector

CURVE = {'threshold': [0.1, 0.5], 'precision': [0.5, 0.9], 'recall': [0.9, 0.6]}


def metrics(curve=CURVE):
    return {'images': 3, 'instances': 7, 'answers': {'curve': curve}}


def test_metrics_of_the_shipped_detector():
    quality = read_quality(shipped_detector()[1])
    assert quality['images'] == 48 and len(quality['curve']['threshold']) == 99
    at = quality['curve']['threshold'].index(0.9)
    assert quality['curve']['precision'][at] == pytest.approx(0.979)  # checkpoints/README.md
    assert quality['curve']['recall'][at] == pytest.approx(0.718)


def write_test(work_dir, checkpoint, content):
    folder = work_dir / 'test' / 'val'
    folder.mkdir(parents=True)
    for name in REPORT_FILES:
        (folder / name).write_text('[]')
    (folder / 'metrics.json').write_text(json.dumps(content))
    (folder / 'source.json').write_text(json.dumps({'checkpoint': f'/elsewhere/{checkpoint}'}))
    finish_report(folder)
    return folder


def test_metrics_of_a_test_report(tmp_path):
    write_test(tmp_path, 'best.pth', metrics())
    assert read_quality(tmp_path / 'best.pth')['data'] == 'val'
    assert read_quality(tmp_path / 'other.pth') is None


def test_a_changed_report_is_ignored(tmp_path):
    folder = write_test(tmp_path, 'best.pth', metrics())
    (folder / 'metrics.json').write_text(json.dumps(metrics() | {'images': 4}))
    assert read_quality(tmp_path / 'best.pth') is None


@pytest.mark.parametrize(
    'curve',
    [
        None,
        [],
        {'threshold': [0.1]},
        {**CURVE, 'recall': [0.9]},
        {**CURVE, 'recall': [0.9, 'x']},
        {**CURVE, 'recall': [0.9, 7]},
        {**CURVE, 'recall': [0.9, True]},
        {key: [] for key in CURVE},
    ],
)
def test_malformed_curves_are_ignored(tmp_path, curve):
    (tmp_path / 'a.metrics.json').write_text(json.dumps(metrics(curve)))
    assert read_quality(tmp_path / 'a.pth') is None
