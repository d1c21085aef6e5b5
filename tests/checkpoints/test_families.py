import json

import pytest
import torch

from mmdet_cleargrasp.backbones import ClearGraspResNet
from mmdet_cleargrasp.checkpoints import recognise
from tests.parity.load import PARITY


@pytest.mark.parametrize('depth', [18, 34, 50, 101, 152])
def test_every_depth_is_recognised(depth):
    with torch.device('meta'):
        state_dict = ClearGraspResNet(depth, frozen=False).state_dict()
    assert recognise(state_dict).name == f'ResNet-{depth}'


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
def test_others_are_named_or_said_to_be_unknown(keys, name):
    assert recognise({key: torch.empty(8, 3, 7, 7) for key in keys}).name == name


def test_reference_keys_are_a_resnet():
    keys = json.loads((PARITY / 'resnet101_os16.keys.json').read_text())
    family = recognise({key: torch.empty(shape, device='meta') for key, shape in keys.items()})
    assert family.config == "type='ClearGraspResNet', depth=101"
