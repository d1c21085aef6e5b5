"""Architectures are recognized from tensor names and shapes."""

import json

import pytest
import torch

from mmdet_cleargrasp import config_dir
from mmdet_cleargrasp.checkpoints import recognize
from mmdet_cleargrasp.models.backbones import AlexNet, ClearGraspDRN, ClearGraspResNet, TimmBackbone
from mmdet_cleargrasp.models.backbones.drn import ARCHS
from tests.parity.load import PARITY


@pytest.mark.parametrize('depth', [18, 34, 50, 101, 152])
def test_every_depth_is_recognized(depth):
    with torch.device('meta'):
        state_dict = ClearGraspResNet(depth, frozen=False).state_dict()
    assert recognize(state_dict).name == f'ResNet-{depth}'


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('indices', [(0, 1, 2, 3), (4,)])
def test_every_drn_is_recognized_with_and_without_its_last_layers(arch, indices):
    with torch.device('meta'):
        backbone = ClearGraspDRN(arch, 8, frozen=False, out_indices=indices)
    family = recognize(backbone.state_dict())
    assert family.name == f'DRN-{arch}'
    assert family.config == f"type='ClearGraspDRN', arch='{arch}'"


@pytest.mark.parametrize('number', range(5))
def test_every_efficientnet_lite_is_recognized(number):
    with torch.device('meta'):
        backbone = TimmBackbone(f'tf_efficientnet_lite{number}', frozen=False)
    family = recognize(backbone.state_dict())
    assert family.name == f'EfficientNet-Lite{number}'
    assert family.config == f"type='TimmBackbone', network='tf_efficientnet_lite{number}'"


def test_alexnet_is_recognized():
    assert recognize(AlexNet().state_dict()).config == "type='AlexNet'"


@pytest.mark.parametrize(
    'backbone', [AlexNet(), ClearGraspDRN(frozen=False)], ids=['alexnet', 'drn']
)
def test_configs_of_a_family_exist(backbone):
    assert list(config_dir().glob(recognize(backbone.state_dict()).configs))


@pytest.mark.parametrize(
    ('keys', 'name'),
    [
        (
            [
                'layer0.0.weight',
                *(f'layer{k}.{b}.conv1.weight' for k in range(1, 9) for b in (0, 1)),
            ],
            'DRN-D-22',
        ),
        (
            ['conv1.weight', *(f'layer{k}.{b}.conv1.weight' for k in range(1, 9) for b in (0, 1))],
            'DRN-C-26',
        ),
        (['features.0.weight'], 'VGG'),
        (['conv1.weight', 'layer1.0.conv1.weight'], 'a ResNet with (1, 0, 0, 0) basic blocks'),
        (['encoder.weight'], 'an unknown network'),
        ([], 'an unknown network'),
    ],
)
def test_other_architectures_are_described(keys, name):
    assert recognize({key: torch.empty(8, 3, 7, 7) for key in keys}).name == name


def test_keys_of_the_reference_implementation_are_a_resnet():
    keys = json.loads((PARITY / 'resnet101_os16.keys.json').read_text())
    family = recognize({key: torch.empty(shape, device='meta') for key, shape in keys.items()})
    assert family.config == "type='ClearGraspResNet', depth=101"
