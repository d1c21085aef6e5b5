import copy

import pytest
import torch
from mmdet.models.dense_heads import RPNHead

from mmdet_cleargrasp.models.dense_heads import SparseGradRPNHead

ARGUMENTS = dict(
    in_channels=8,
    feat_channels=6,
    anchor_generator=dict(type='AnchorGenerator', scales=[8], ratios=[0.5, 1.0], strides=[8]),
    bbox_coder=dict(type='DeltaXYWHBBoxCoder'),
    loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True),
)


def heads(**arguments):
    torch.manual_seed(0)
    stock = RPNHead(**ARGUMENTS, **arguments)
    sampled = SparseGradRPNHead(**ARGUMENTS, **arguments)
    sampled.load_state_dict(stock.state_dict())
    return stock, sampled


def gradients(head, features, positions):
    features = features.clone().requires_grad_()
    scores, deltas = head.forward_single(features)
    picked = [level.permute(0, 2, 3, 1).flatten(0, 2)[positions] for level in (scores, deltas)]
    (picked[0].sin().sum() + picked[1].square().sum()).backward()
    return scores, deltas, features.grad, *(p.grad for p in head.parameters())


@pytest.mark.parametrize(
    'positions',
    [
        pytest.param([0], id='a corner'),
        pytest.param([0, 7, 8, 31, 239, 240, 479], id='borders of both images'),
        pytest.param([5, 5, 6], id='a repeated position'),
        pytest.param([], id='none'),
        pytest.param(list(range(480)), id='all'),
    ],
)
@pytest.mark.parametrize('num_convs', [1, 2])
def test_gradients_equal_the_stock_head(positions, num_convs):
    stock, sampled = heads(num_convs=num_convs)
    features = torch.rand(2, 8, 12, 20)
    expected = gradients(stock, features, positions)
    found = gradients(sampled, features, positions)
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])
    for ours, theirs in zip(found[2:], expected[2:], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_stock_implementation_without_autograd_and_under_autocast():
    stock, sampled = heads()
    features = torch.rand(1, 8, 6, 6)
    with torch.no_grad():
        assert torch.equal(sampled.forward_single(features)[0], stock.forward_single(features)[0])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert sampled.forward_single(features)[0].dtype == torch.bfloat16


def test_state_dict_and_deepcopy():
    stock, sampled = heads()
    assert list(sampled.state_dict()) == list(stock.state_dict())
    assert torch.equal(copy.deepcopy(sampled).rpn_conv.weight, stock.rpn_conv.weight)
