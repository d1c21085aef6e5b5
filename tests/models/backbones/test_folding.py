import copy
import pickle

import pytest
import torch
from torch import nn

from mmdet_cleargrasp.models.backbones import (
    AlexNet,
    ClearGraspDRN,
    ClearGraspResNet,
    FreezableBackbone,
    TimmBackbone,
)

BACKBONES = {
    'resnet-18': lambda **kw: ClearGraspResNet(18, **kw),
    'resnet-50 dense': lambda **kw: ClearGraspResNet(50, output_stride=8, **kw),
    'drn-d-22': lambda **kw: ClearGraspDRN('D-22', **kw),
    'drn-c-26 with its tail': lambda **kw: ClearGraspDRN(
        'C-26', output_stride=8, out_indices=(0, 4), **kw
    ),
    'alexnet': AlexNet,
    # activations within batch norm, as in most of timm's networks
    'efficientnet-lite0': lambda **kw: TimmBackbone('tf_efficientnet_lite0', **kw),
    'mobilenetv3': lambda **kw: TimmBackbone('mobilenetv3_small_100', **kw),
    # none at all
    'convnext': lambda **kw: TimmBackbone('convnext_atto', **kw),
}


def build(name='resnet-18', **kw):
    torch.manual_seed(0)
    backbone = BACKBONES[name](**kw)
    for module in backbone.modules():  # as training leaves them: no scale of one, no mean of zero
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return backbone.eval()


def difference(maps, expected):
    return max(
        ((a - b).abs().max() / b.abs().max()).item() for a, b in zip(maps, expected, strict=True)
    )


@pytest.mark.parametrize('name', BACKBONES)
@torch.no_grad()
def test_maps_are_equal_up_to_rounding(name):
    backbone, images = build(name, frozen=False), torch.rand(2, 3, 67, 96)
    assert difference(backbone(images), backbone.forward_features(images)) < 1e-5


@pytest.mark.parametrize(
    'change',
    [
        pytest.param(lambda b: b.load_state_dict(build('resnet-18').state_dict()), id='loaded'),
        pytest.param(lambda b: b.conv1.weight.mul_(2), id='written to'),
        pytest.param(lambda b: (b.conv1.weight.data.mul_(2), b.eval()), id='behind its back'),
        pytest.param(lambda b: b.layer4[0].bn1.running_mean.add_(1), id='statistics'),
        pytest.param(
            lambda b: setattr(b, 'conv1', nn.Conv2d(3, 64, 7, 2, 3, bias=False)), id='put'
        ),
    ],
)
@torch.no_grad()
def test_the_maps_follow_the_weights(change):
    backbone, images = build(frozen=False), torch.rand(1, 3, 64, 64)
    for parameter in backbone.parameters():
        parameter.mul_(1.1)
    before = backbone(images)
    change(backbone)
    assert difference(backbone(images), backbone.forward_features(images)) < 1e-5
    assert difference(backbone(images), before) > 1e-3


def test_the_weights_keep_their_layout_and_copies_their_independence():
    backbone = build(frozen=False)
    names = list(backbone.state_dict())
    with torch.no_grad():
        backbone(torch.rand(1, 3, 64, 64))
    assert list(backbone.state_dict()) == names
    for twin in (copy.deepcopy(backbone), pickle.loads(pickle.dumps(backbone))):
        with torch.no_grad():
            twin.conv1.weight.mul_(2)
            images = torch.rand(1, 3, 64, 64)
            assert difference(twin(images), twin.forward_features(images)) < 1e-5
            assert difference(twin(images), backbone(images)) > 1e-3


def test_what_learns_is_not_folded():
    backbone, images = build(frozen=False).train(), torch.rand(2, 3, 64, 64)
    backbone(images)[-1].sum().backward()
    assert all(p.grad is not None for p in backbone.parameters())
    statistics = ClearGraspResNet(18, frozen=False, norm_eval=False).train()
    with torch.no_grad():
        statistics(images)
    assert statistics.bn1.running_mean.abs().max() > 0


@torch.no_grad()
def test_where_modules_are_not_in_order_of_computation_nothing_is_folded():
    class NormFirst(FreezableBackbone):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            self.norm.running_mean += 1
            self.freeze(False)

        def forward_features(self, x):
            return (self.conv(self.norm(x).relu()),)

    backbone, images = NormFirst().eval(), torch.rand(2, 3, 8, 8)
    assert difference(backbone(images), backbone.forward_features(images)) < 1e-6
