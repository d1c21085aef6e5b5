"""Tests of a detector with a runtime: its predictions, what is recorded, what is refused."""

import importlib.util
import json
from contextlib import nullcontext

import numpy as np
import pytest

from mmdet_cleargrasp.engine.prepare import RunOptions, prepare
from mmdet_cleargrasp.engine.runtimes import select
from mmdet_cleargrasp.engine.testing import test as run_test
from mmdet_cleargrasp.evaluation.report_files import check_report
from mmdet_cleargrasp.utils.errors import ConfigError
from tests.inference.random_runs import SHORT, random_run

needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec('openvino') is None, reason='openvino is not installed'
)
NO_WORKERS = {
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
}


@pytest.fixture(scope='module')
def run(module_folder):
    name = 'frcnn_alexnet_plates'
    return random_run(name, module_folder, **SHORT[name])


@pytest.fixture
def plan(run, toy_plates, tmp_path):

    def make(**options):
        settings = RunOptions(
            work_dir=tmp_path, data_root=toy_plates, checkpoint=run / 'epoch_1.pth',
            cfg_options={**NO_WORKERS, **options},
        )  # fmt: skip
        return prepare(run / 'frcnn_alexnet_plates.py', settings)

    return make


def read(folder):
    """The predictions of a test as rows of image, class, score and box, and its source."""
    found = json.loads((folder / 'predictions.bbox.json').read_text())
    rows = [[p['image_id'], p['category_id'], p['score'], *p['bbox']] for p in found]
    return np.array(sorted(rows)), json.loads((folder / 'source.json').read_text())


@needs_openvino
@pytest.mark.parametrize('tta', [False, True])
def test_openvino_predicts_as_torch_does(plan, capsys, tta):
    theirs, source = read(run_test(plan(), tta=tta))
    assert source['runtime'] == 'torch, float32'
    capsys.readouterr()
    ours, source = read(run_test(plan(), tta=tta, runtime='openvino'))
    assert source['runtime'] == 'openvino, float32'
    assert 'networks computed by openvino, float32' in capsys.readouterr().out
    assert len(ours) == len(theirs) > 5
    assert np.abs(ours - theirs)[:, 2].max() < 1e-4
    assert np.abs(ours - theirs)[:, 3:].max() < 0.05
    assert not np.array_equal(ours, theirs), 'computed by torch'


def test_bfloat16_is_recorded_and_changes_scores(plan, monkeypatch):
    monkeypatch.setattr(select, 'processor_has_bfloat16', lambda: True)
    theirs, _ = read(run_test(plan()))
    ours, source = read(run_test(plan(), amp=True))
    assert source['runtime'] == 'torch, bfloat16'
    assert 1e-5 < abs(ours[:, 2].max() - theirs[:, 2].max()) < 0.1


def test_bfloat16_without_instructions_is_said(plan, monkeypatch, capsys):
    monkeypatch.setattr(select, 'processor_has_bfloat16', lambda: False)
    _, source = read(run_test(plan(), amp=True))
    assert source['runtime'] == 'torch, float32'
    assert '--amp was ignored' in capsys.readouterr().out


def test_mixed_precision_of_the_config_is_recorded(plan, monkeypatch):
    # On a CPU, mmengine's would end in bfloat16 boxes, which have no NumPy type.
    monkeypatch.setattr('mmengine.runner.loops.autocast', lambda **_: nullcontext())
    fp16 = {'test_cfg.fp16': True}
    _, source = read(run_test(plan(**fp16)))
    assert source['runtime'] == 'torch, test_cfg.fp16'
    with pytest.raises(ConfigError, match=r'test_cfg.fp16=False'):
        run_test(plan(**fp16), amp=True)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ((select.importlib.util, 'find_spec', lambda name: None), 'is not installed: pip install'),
        (
            ('mmdet_cleargrasp.engine.testing.get_device', lambda: 'cuda'),
            'this detector is on cuda',
        ),
        (('mmdet_cleargrasp.engine.runtimes.networks.AnchorHead', type(None)), 'in torch only'),
    ],
)
def test_a_runtime_that_cannot_be_used_leaves_an_earlier_report(plan, monkeypatch, change, message):
    report = run_test(plan())
    monkeypatch.setattr(*change)
    with pytest.raises(ConfigError, match=message):
        run_test(plan(), runtime='openvino')
    check_report(report)


@needs_openvino
def test_other_outputs_end_a_test_before_its_first_image(plan, inexact_openvino, monkeypatch):
    monkeypatch.setattr('mmengine.runner.TestLoop.run_iter', None)  # would be called
    with pytest.raises(ConfigError, match='differ from torch by'):
        run_test(plan(), runtime='openvino')


def test_the_command_line_passes_its_options_on(run, toy_plates, tmp_path, run_here, monkeypatch):
    monkeypatch.setattr(select.importlib.util, 'find_spec', lambda name: None)
    command = ('tools/test.py', run / 'frcnn_alexnet_plates.py', run / 'epoch_1.pth',
               '--data-root', toy_plates, '--work-dir', tmp_path)  # fmt: skip
    options = ('--cfg-options', *(f'{key}={value}' for key, value in NO_WORKERS.items()))
    status, printed = run_here(*command, '--runtime', 'openvino', *options)
    assert status == 1 and 'openvino is not installed: pip install' in printed
    monkeypatch.setattr(select, 'processor_has_bfloat16', lambda: True)
    status, printed = run_here(*command, '--amp', *options)
    assert status == 0 and 'networks computed by torch, bfloat16' in printed
    report = tmp_path / 'test' / 'val'
    # --amp of a training would change the optimizer.
    assert 'BFloat16OptimWrapper' not in (report / 'frcnn_alexnet_plates.py').read_text()
