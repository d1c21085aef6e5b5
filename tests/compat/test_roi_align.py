import pytest
import torch
from torchvision.ops import roi_align as torchvision_roi_align

from mmdet_cleargrasp.compat.roi_align import Grid, backward, forward

SHAPE = (2, 5, 19, 23)


def regions(kind):
    torch.manual_seed(0)
    image = torch.randint(0, 2, (40, 1)).float()
    corner = torch.rand(40, 2) * 150
    extent = dict(small=10, large=180, beyond=60)[kind] * torch.rand(40, 2)
    if kind == 'beyond':
        corner = corner * 2 - 100
    return torch.cat([image, corner, corner + extent], dim=1)


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling_ratio', [0, 1, 2, 3])
@pytest.mark.parametrize('kind', ['small', 'large', 'beyond'])
def test_values_and_gradients_equal_torchvision_s(kind, sampling_ratio, aligned):
    grid = Grid(7, 5, 1 / 8, sampling_ratio, aligned)
    rois, features = regions(kind), torch.rand(SHAPE, requires_grad=True)
    expected = torchvision_roi_align(features, rois, (7, 5), 1 / 8, sampling_ratio, aligned)
    weights = torch.rand(expected.shape)
    (expected * weights).sum().backward()
    found = forward(features.detach(), rois, grid)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-5)
    found = backward(weights, rois, grid, SHAPE)
    torch.testing.assert_close(found, features.grad, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
def test_values_do_not_depend_on_the_memory_format(memory_format):
    features = torch.rand(SHAPE)
    grid = Grid(7, 7, 1 / 8, 0, True)
    expected = forward(features, regions('small'), grid)
    found = forward(features.contiguous(memory_format=memory_format), regions('small'), grid)
    assert torch.equal(found, expected)


def test_no_regions_and_empty_regions():
    grid = Grid(2, 2, 1.0, 0, True)
    assert forward(torch.rand(SHAPE), torch.zeros(0, 5), grid).shape == (0, 5, 2, 2)
    assert not backward(torch.zeros(0, 5, 2, 2), torch.zeros(0, 5), grid, SHAPE).any()
    flat = torch.tensor([[0.0, 4, 4, 4, 9], [1.0, 500, 500, 600, 600]])
    assert not forward(torch.rand(SHAPE), flat, grid).any()
