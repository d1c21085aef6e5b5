"""``benchmarks.gpu_check`` on a CPU: results and failures of checks are reported."""

import json

import pytest

from benchmarks.gpu_check import __main__ as gpu_check
from benchmarks.gpu_check import parity, running
from benchmarks.gpu_check.running import Check, Row, Setting


@pytest.fixture
def setting(tmp_path, toy_plates):
    return Setting('cpu', 96, 2, 4, toy_plates, tmp_path)


def test_checks_are_listed_in_order():
    checks = gpu_check.list_checks(gpu_check.CHECKS, ['frcnn_cleargrasp_plates'])
    assert len(checks) == 8 + 1 + len(gpu_check.BACKBONES)
    assert tuple(parity.BACKBONES) == gpu_check.BACKBONES
    assert [c.function for c in gpu_check.list_checks(['cache', 'operators'], [])] == [
        '.parity.operators', '.training.feature_cache',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('function', 'passed', 'figure'),
    [
        ('.parity.operators', True, '3 operators, difference 0'),
        ('.parity.backbone', True, '4 maps, difference 0'),
        ('.training.feature_cache', True, 'maps from disk are equal'),
        ('.training.nothing', False, 'AttributeError'),
    ],
)
def test_results_of_checks(setting, function, passed, figure):
    name = 'ClearGraspResNet 50' if function == '.parity.backbone' else ''
    row = running.run_check(Check('what', function, name), setting)
    assert row.passed == passed and row.figure.startswith(figure), row.figure
    assert row.seconds > 0


def test_differences_fail(setting, monkeypatch):
    monkeypatch.setattr(parity, 'TOLERANCE', -1.0)
    row = running.run_check(Check('what', '.parity.operators'), setting)
    assert not row.passed and row.figure.startswith('nms: difference')


def test_no_detections_on_either_device_fail(setting, monkeypatch):
    monkeypatch.setattr(parity, '_infer', lambda *_: [])
    row = running.run_check(Check('what', '.parity.inference'), setting)
    assert not row.passed and row.figure.startswith('no plate found: nothing to compare')


def test_a_crash_does_not_affect_other_checks(setting):
    functions = [f'tests.benchmarks.quick_checks.{name}' for name in ('die', 'fail', 'succeed')]
    rows = list(running.run_checks([Check(f, f, 'given') for f in functions], setting))
    assert [(row.passed, row.figure) for row in rows] == [
        (False, 'its process died'), (False, 'found given printed'), (True, 'given'),
    ]  # fmt: skip


def test_markdown_and_json(setting, tmp_path):
    rows = [Row('a | b', True, 'x | y', 1.0, 2.0), Row('c', False, 'why\nnot', 1.0, 2.0)]
    markdown, numbers = gpu_check.write(rows, {'device': 'cpu'}, setting, tmp_path / 'out')
    text = markdown.read_text()
    assert r'x \| y' in text and '| c | **no** | why not |' in text
    assert [row['passed'] for row in json.loads(numbers.read_text())['rows']] == [True, False]


@pytest.mark.slow
def test_all_checks_pass_on_a_cpu(run_here, tmp_path):
    status, printed = run_here(
        gpu_check.main, '--device', 'cpu', '--out', tmp_path,
        '--arms', 'frcnn_cleargrasp_plates', 'retinanet_cleargrasp_drn54_plates',
    )  # fmt: skip
    assert status == 0, printed
    rows = json.loads((tmp_path / 'gpu_check.json').read_text())['rows']
    assert len(rows) == len(gpu_check.list_checks(gpu_check.CHECKS, ['one', 'two']))
    assert all(row['passed'] and row['peak'] > 100 for row in rows)
    (resumed,) = (row for row in rows if 'resuming' in row['name'])
    assert resumed['figure'] == 'weights are equal'
