import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmdet_cleargrasp.models import winograd
from mmdet_cleargrasp.models.convolution import FastConv2d, FrozenConv2d


@pytest.fixture
def every_size(monkeypatch):
    """Use Winograd's algorithm for small maps too, a few tiles at a time, on any processor."""
    monkeypatch.setattr(winograd, 'has_onednn', lambda: True)
    for name in ('MIN_POSITIONS', 'MIN_CHANNELS'):
        monkeypatch.setattr(winograd, name, 1)
    monkeypatch.setattr(winograd, 'TILES', 8)


def results(convolve, x, *parameters, dtype=torch.float32):
    """Output and gradients."""
    tensors = [t.detach().to(dtype).requires_grad_() for t in (x, *parameters)]
    output = convolve(*tensors)
    output.sin().sum().backward()
    return output, *(t.grad for t in tensors)


@pytest.mark.parametrize(
    'shape',
    [
        pytest.param((2, 8, 16, 24), id='multiples of a tile'),
        pytest.param((1, 8, 13, 19), id='tiles beyond the border'),
        pytest.param((3, 8, 1, 2), id='smaller than a tile'),
    ],
)
@pytest.mark.parametrize('memory_format', [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize('bias', [True, False])
def test_values_and_gradients_equal_a_direct_convolution(shape, memory_format, bias, every_size):
    torch.manual_seed(0)
    x = torch.randn(shape).to(memory_format=memory_format)
    parameters = (0.1 * torch.randn(12, 8, 3, 3), *([torch.randn(12)] if bias else []))
    assert winograd.is_faster(x, parameters[0])
    direct = results(lambda *t: F.conv2d(*t, padding=1), x, *parameters, dtype=torch.float64)
    found = results(lambda *t: winograd.convolve(*t[:2], t[2] if bias else None), x, *parameters)
    for ours, expected in zip(found, direct, strict=True):
        error = (ours - expected).abs().max() / expected.abs().max()
        assert error < 2e-5


def test_rounding_errors_are_a_few_times_those_of_a_direct_convolution():
    torch.manual_seed(0)
    x, weight = torch.randn(1, 256, 48, 48), torch.randn(256, 256, 3, 3)
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    assert (winograd.convolve(x, weight, None) - exact).norm() < 2e-6 * exact.norm()


@pytest.mark.parametrize('learning', ['x', 'weight', 'bias'])
def test_only_required_gradients_are_computed(learning, every_size):
    tensors = dict(x=torch.rand(1, 4, 8, 8), weight=torch.rand(4, 4, 3, 3), bias=torch.rand(4))
    tensors[learning].requires_grad_()
    winograd.convolve(**tensors).sum().backward()
    assert {name for name, tensor in tensors.items() if tensor.grad is not None} == {learning}


def test_an_in_place_relu_may_follow(every_size):
    x, weight = torch.rand(1, 4, 9, 7), torch.randn(4, 4, 3, 3, requires_grad=True)
    F.relu(winograd.convolve(x, weight, None), inplace=True).sum().backward()
    (expected,) = torch.autograd.grad(F.conv2d(x, weight, padding=1).relu().sum(), weight)
    torch.testing.assert_close(weight.grad, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    'arguments, x',
    [
        pytest.param(dict(), torch.rand(1, 256, 8, 8), id='small map'),
        pytest.param(dict(), torch.rand(1, 256, 48, 48).bfloat16(), id='bfloat16'),
        pytest.param(dict(stride=2), torch.rand(1, 256, 96, 48), id='stride'),
        pytest.param(dict(dilation=2), torch.rand(1, 256, 50, 50), id='dilation'),
        pytest.param(dict(padding=0), torch.rand(1, 256, 50, 50), id='no padding'),
        pytest.param(dict(padding_mode='reflect'), torch.rand(1, 256, 48, 48), id='reflection'),
        pytest.param(dict(groups=2), torch.rand(1, 256, 48, 48), id='groups'),
    ],
)
def test_other_convolutions_equal_conv2d(arguments, x):
    layer = FastConv2d(256, 256, 3, **dict(padding=1) | arguments).to(x.dtype)
    with torch.no_grad():
        assert torch.equal(layer(x), nn.Conv2d.forward(layer, x))


@pytest.mark.parametrize('bias', [True, False])
@torch.no_grad()
def test_frozen_convolutions_transform_their_kernels_once(bias, monkeypatch):
    monkeypatch.setattr(winograd, 'has_onednn', lambda: True)
    transformed = []
    transform = winograd.transform_kernels
    monkeypatch.setattr(
        winograd, 'transform_kernels', lambda w: transformed.append(w) or transform(w)
    )
    conv = nn.Conv2d(128, 128, 3, padding=1, bias=bias)
    frozen = FrozenConv2d(conv)
    for shape in ((1, 128, 33, 32), (2, 128, 24, 24)):
        x = torch.rand(shape)
        torch.testing.assert_close(frozen(x), conv(x), rtol=1e-4, atol=1e-5)
    assert len(transformed) == 1


@pytest.mark.parametrize(
    'arguments, size',
    [
        pytest.param(dict(padding=1), 8, id='small map'),
        pytest.param(dict(padding=2, dilation=2), 40, id='dilation'),
        pytest.param(dict(stride=2, padding=1), 80, id='stride'),
        pytest.param(dict(padding=1, groups=2), 40, id='groups'),
        pytest.param(dict(padding=1, padding_mode='circular'), 40, id='circular'),
    ],
)
@torch.no_grad()
def test_other_frozen_convolutions_equal_conv2d_exactly(arguments, size):
    conv, x = nn.Conv2d(128, 128, 3, **arguments), torch.rand(1, 128, size, size)
    assert torch.equal(FrozenConv2d(conv)(x), conv(x))


@torch.no_grad()
def test_frozen_convolutions_in_bfloat16_equal_conv2d_exactly():
    conv, x = nn.Conv2d(128, 128, 3, padding=1), torch.rand(1, 128, 40, 40)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(FrozenConv2d(conv)(x), conv(x))


def test_autocast_equals_conv2d_exactly():
    layer, x = FastConv2d(256, 256, 3, padding=1), torch.rand(1, 256, 48, 48)
    with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(layer(x), nn.Conv2d.forward(layer, x))


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('bias', [True, False])
def test_pointwise_convolutions_equal_conv2d(stride, bias):
    layer = FastConv2d(32, 16, 1, stride=stride, bias=bias)
    x = torch.rand(2, 32, 9, 7)
    parameters = tuple(layer.parameters())
    expected = results(lambda x, *p: F.conv2d(x, *p, stride=stride), x, *parameters)
    x.requires_grad_()
    layer(x).sin().sum().backward()
    found = (layer(x), x.grad, *(p.grad for p in parameters))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_traced_layers_contain_no_custom_operator():
    layer, x = FastConv2d(256, 256, 3, padding=1), torch.rand(1, 256, 48, 48)
    graph = torch.jit.trace(layer, x, check_trace=False).inlined_graph
    assert 'PythonOp' not in str(graph)
