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
    'drn-c-26 with layer 8': lambda **kw: ClearGraspDRN(
        'C-26', output_stride=8, out_indices=(0, 4), **kw
    ),
    'alexnet': AlexNet,
    # activations within batch norm, as in most of timm's networks
    'efficientnet-lite0': lambda **kw: TimmBackbone('tf_efficientnet_lite0', **kw),
    'mobilenetv3': lambda **kw: TimmBackbone('mobilenetv3_small_100', **kw),
    # no batch norm
    'convnext': lambda **kw: TimmBackbone('convnext_atto', **kw),
}


def build(name='resnet-18', **kw):
    torch.manual_seed(0)
    backbone = BACKBONES[name](**kw)
    for module in backbone.modules():  # as after training, not scale 1 and mean 0
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
        pytest.param(lambda b: b.conv1.weight.mul_(2), id='modified in place'),
        pytest.param(lambda b: (b.conv1.weight.data.mul_(2), b.eval()), id='modified through data'),
        pytest.param(lambda b: b.layer4[0].bn1.running_mean.add_(1), id='statistics'),
        pytest.param(
            lambda b: setattr(b, 'conv1', nn.Conv2d(3, 64, 7, 2, 3, bias=False)), id='replaced'
        ),
    ],
)
@torch.no_grad()
def test_maps_follow_changes_of_the_weights(change):
    backbone, images = build(frozen=False), torch.rand(1, 3, 64, 64)
    for parameter in backbone.parameters():
        parameter.mul_(1.1)
    before = backbone(images)
    change(backbone)
    assert difference(backbone(images), backbone.forward_features(images)) < 1e-5
    assert difference(backbone(images), before) > 1e-3


def test_state_dict_is_unchanged_and_copies_are_independent():
    backbone = build(frozen=False)
    names = list(backbone.state_dict())
    with torch.no_grad():
        backbone(torch.rand(1, 3, 64, 64))
    assert list(backbone.state_dict()) == names
    for other in (copy.deepcopy(backbone), pickle.loads(pickle.dumps(backbone))):
        with torch.no_grad():
            other.conv1.weight.mul_(2)
            images = torch.rand(1, 3, 64, 64)
            assert difference(other(images), other.forward_features(images)) < 1e-5
            assert difference(other(images), backbone(images)) > 1e-3


def test_nothing_is_folded_in_training():
    backbone, images = build(frozen=False).train(), torch.rand(2, 3, 64, 64)
    backbone(images)[-1].sum().backward()
    assert all(p.grad is not None for p in backbone.parameters())
    statistics = ClearGraspResNet(18, frozen=False, norm_eval=False).train()
    with torch.no_grad():
        statistics(images)
    assert statistics.bn1.running_mean.abs().max() > 0


@torch.no_grad()
def test_nothing_is_folded_if_modules_are_registered_in_another_order():
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
