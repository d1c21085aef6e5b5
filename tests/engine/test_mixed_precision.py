"""Mixed precision: what a CPU and a GPU get, and that heads learn in bfloat16."""

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper

from mmdet_cleargrasp.engine import mixed_precision
from mmdet_cleargrasp.engine.mixed_precision import BFloat16OptimWrapper, check_amp, enable_amp


@pytest.fixture
def cfg():
    return Config({'optim_wrapper': {'type': 'OptimWrapper', 'optimizer': {'type': 'AdamW'}}})


@pytest.mark.parametrize(
    ('device', 'wrapper'), [('cpu', 'BFloat16OptimWrapper'), ('cuda', 'AmpOptimWrapper')]
)
def test_device_chooses_the_optimizer_wrapper(cfg, device, wrapper, monkeypatch):
    monkeypatch.setattr(mixed_precision, 'get_device', lambda: device)
    cfg.optim_wrapper.update(type='AmpOptimWrapper', loss_scale=512.0)  # as of an earlier run
    enable_amp(cfg)
    assert cfg.optim_wrapper.type == wrapper
    assert cfg.optim_wrapper.get('loss_scale') == ('dynamic' if device == 'cuda' else None)


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
@pytest.mark.parametrize(
    ('wrapper', 'has_bfloat16', 'level', 'message'),
    [
        ('OptimWrapper', True, None, ''),
        ('BFloat16OptimWrapper', True, 'ok', 'bfloat16'),
        ('BFloat16OptimWrapper', False, 'warning', 'slower'),
        ('AmpOptimWrapper', True, 'error', 'needs a GPU'),
    ],
)
def test_check_says_what_a_cpu_can(cfg, wrapper, has_bfloat16, level, message, monkeypatch):
    monkeypatch.setattr(mixed_precision, 'processor_has_bfloat16', lambda: has_bfloat16)
    cfg.optim_wrapper.type = wrapper
    findings = list(check_amp(cfg))
    assert [finding.level for finding in findings] == ([level] if level else [])
    assert all(message in finding.text for finding in findings)


def test_bfloat16_learns_what_32_bits_learn():
    def fit(wrapper_type):
        torch.manual_seed(0)
        layer, x = torch.nn.Linear(8, 1), torch.rand(64, 8)
        wrapper = wrapper_type(optimizer=torch.optim.SGD(layer.parameters(), lr=0.1))
        for _ in range(50):
            with wrapper.optim_context(layer):
                y = layer(x)
                loss = ((y.float() - x.sum(1, keepdim=True)) ** 2).mean()
            wrapper.update_params(loss)
        return y.dtype, layer.weight.dtype, loss.item()

    *dtypes, loss = fit(BFloat16OptimWrapper)
    *_, expected = fit(OptimWrapper)
    assert dtypes == [torch.bfloat16, torch.float32]
    assert loss == pytest.approx(expected, rel=0.1, abs=1e-3)
