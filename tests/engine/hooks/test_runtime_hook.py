"""A test computes the networks with the runtime of prediction."""

from types import SimpleNamespace

import pytest
import torch
from mmdet.registry import HOOKS
from mmengine.hooks import EMAHook
from mmengine.runner import get_priority
from torch import nn

from mmdet_cleargrasp.engine.hooks import RuntimeHook
from mmdet_cleargrasp.engine.hooks import runtime_hook as module


class Wrapper(nn.Module):
    """What wraps a detector in distributed tests and with --tta."""

    def __init__(self, detector):
        super().__init__()
        self.module = detector


@pytest.mark.parametrize('wrappers', [0, 1, 2])
def test_the_detector_itself_is_compiled_in_eval_mode(monkeypatch, wrappers):
    calls = []

    def use_runtime(model, *options):
        calls.append((model, model.training, *options))
        return 'openvino, bfloat16'

    monkeypatch.setattr(module, 'use_runtime', use_runtime)
    detector = model = nn.Linear(1, 1)
    for _ in range(wrappers):
        model = Wrapper(model)
    hook = RuntimeHook('openvino', amp=True)
    hook.before_test_epoch(SimpleNamespace(model=model.train()))
    assert calls == [(detector, False, 'openvino', True)]
    assert hook.computed == 'openvino, bfloat16'


def test_it_comes_after_averaged_weights():
    assert get_priority(RuntimeHook.priority) > get_priority(EMAHook.priority)


def test_configs_can_name_it():
    hook = HOOKS.build({'type': 'RuntimeHook', 'amp': False})
    hook.before_test_epoch(SimpleNamespace(model=nn.Linear(1, 1, device=torch.device('cpu'))))
    assert hook.computed == 'torch, float32'
