import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS

from mmdet_cleargrasp.datasets.images import read_image
from mmdet_cleargrasp.engine import runtimes
from mmdet_cleargrasp.engine.runtimes import select
from mmdet_cleargrasp.inference import PlateDetector
from mmdet_cleargrasp.inference.onnx_export import match
from mmdet_cleargrasp.utils.errors import ConfigError
from tests.inference.random_runs import SHORT, random_run

# Not importorskip: the import itself is tested.
needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec('openvino') is None, reason='openvino is not installed'
)


@pytest.fixture(scope='module')
def runs(module_folder):
    """Small detectors of each kind."""
    for name in SHORT:
        (module_folder / name).mkdir()
    return {
        name: random_run(name, module_folder / name, **options) for name, options in SHORT.items()
    }


@pytest.fixture
def photographs(toy_plates):
    images = [read_image(path) for path in sorted((toy_plates / 'val').iterdir())]
    return [images[0], images[1][:60], images[2][:, :40].copy()]  # three shapes


@needs_openvino
@pytest.mark.parametrize('name', SHORT)
def test_openvino_finds_the_same(runs, photographs, name):
    plain, fast = (
        PlateDetector.from_run(runs[name], 'cpu', per_class=True, runtime=runtime)
        for runtime in ('torch', 'openvino')
    )
    assert (plain.runtime, fast.runtime) == ('torch, float32', 'openvino, float32')
    found = [match(fast(image, 0.0), plain(image, 0.0)) for image in photographs]
    assert sum(difference.detections for difference in found) > 5
    assert all(difference.within(score=1e-4, box=0.05) for difference in found), found


@needs_openvino
def test_openvino_sends_no_statistics_and_warns_of_nothing(runs, recwarn):
    """Importing it would send an event to its makers, and so would its conversion of networks."""
    PlateDetector.from_run(runs['frcnn_alexnet_plates'], 'cpu', runtime='openvino')
    used = importlib.import_module('openvino.tools.ovc.telemetry_utils').tm
    assert used.__name__ == 'openvino.tools.ovc.telemetry_stub'
    assert not [str(w.message) for w in recwarn if 'deprec' in str(w.message).lower()]


@needs_openvino
def test_signals_arrive_after_networks_were_deleted():
    """In a process of its own, which OpenVINO could end."""
    code = """
import os, signal
import torch
from mmdet_cleargrasp.engine.runtimes.openvino_runtime import compile_network

first, second = (
    compile_network(torch.nn.Linear(8, 8), torch.ones(2, 8), False) for _ in range(2)
)
assert torch.equal(first(torch.ones(2, 8))[0], first(torch.ones(2, 8))[0])
del first
del second
signal.signal(signal.SIGUSR1, lambda *_: print('arrived'))
os.kill(os.getpid(), signal.SIGUSR1)
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, 'arrived\n'), done.stderr


@pytest.mark.parametrize('name', SHORT)
def test_bfloat16_computes_the_networks_alone(runs, photographs, monkeypatch, name):
    monkeypatch.setattr(select, 'processor_has_bfloat16', lambda: True)
    plain = PlateDetector.from_run(runs[name], 'cpu')
    fast = PlateDetector.from_run(runs[name], 'cpu', runtime='torch', amp=True)
    assert fast.runtime == 'torch, bfloat16'
    image = torch.randn(1, 3, 96, 128)
    with torch.no_grad():
        outputs = [d.model.extract_feat(image) for d in (fast, plain)]
        head = 'rpn_head' if 'frcnn' in name else 'bbox_head'
        ours, theirs = (
            getattr(d.model, head)(x)[0][0] for d, x in zip((fast, plain), outputs, strict=True)
        )
    assert ours.dtype == torch.float32
    difference = (ours - theirs).abs().max() / theirs.abs().max()
    assert 1e-5 < difference < 0.1
    boxes = fast(photographs[0], 0.0).xyxy
    assert len(boxes) and not np.array_equal(boxes, boxes.astype(np.float16))


def test_bfloat16_without_instructions_is_float32(runs, monkeypatch):
    monkeypatch.setattr(select, 'processor_has_bfloat16', lambda: False)
    detector = PlateDetector.from_run(runs['frcnn_alexnet_plates'], 'cpu', amp=True)
    assert detector.runtime == 'torch, float32'


@pytest.mark.parametrize(
    ('runtime', 'message'),
    [('onnx', "runtime 'onnx': expected one of auto, openvino, torch"),
     ('openvino', 'is not installed: pip install')],
)  # fmt: skip
def test_runtimes_that_cannot_be_used(runs, monkeypatch, runtime, message):
    monkeypatch.setattr(select.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ConfigError, match=message):
        PlateDetector.from_run(runs['frcnn_alexnet_plates'], 'cpu', runtime=runtime)
    detector = PlateDetector.from_run(runs['frcnn_alexnet_plates'], 'cpu', runtime='auto')
    assert detector.runtime == 'torch, float32'


@needs_openvino
def test_a_runtime_with_other_outputs_is_refused(runs, inexact_openvino):
    run = runs['frcnn_alexnet_plates']
    with pytest.raises(ConfigError, match='differ from torch by .* use --runtime torch'):
        PlateDetector.from_run(run, 'cpu', runtime='openvino')
    assert PlateDetector.from_run(run, 'cpu', runtime='auto').runtime == 'torch, float32'


@needs_openvino
def test_other_kinds_of_detectors_stay_in_torch():
    model = MODELS.build({'type': 'mmdet.DetDataPreprocessor'})
    with pytest.raises(ConfigError, match='runs in torch only'):
        select.DenseNetwork(model)


def test_command_line_offers_all_runtimes():
    from mmdet_cleargrasp.cli.infer import make_parser

    choices = next(a.choices for a in make_parser()._actions if a.dest == 'runtime')
    assert choices == runtimes.RUNTIMES
