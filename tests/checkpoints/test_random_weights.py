"""Backbones with random weights and measured batch norm statistics."""

import pytest
import torch

from mmdet_cleargrasp.checkpoints import load_backbone, read_checkpoint
from mmdet_cleargrasp.checkpoints.random_weights import write_random_backbone
from mmdet_cleargrasp.models.backbones import ClearGraspResNet, TimmBackbone
from mmdet_cleargrasp.utils.errors import CheckpointError, DataError

RESNET18 = dict(type='ClearGraspResNet', depth=18, trained_stride=16)


def test_features_have_a_standard_deviation_near_1(tmp_path, toy_plates):
    images = sorted((toy_plates / 'train').glob('*.jpg'))
    path = write_random_backbone(tmp_path / 'random.pth', images, RESNET18, seed=3)
    backbone = ClearGraspResNet(18, trained_stride=16)
    load_backbone(backbone, path)
    with torch.no_grad():
        maps = backbone.eval()(torch.rand(1, 3, 128, 128))
    assert all(0.1 < m.std() < 10 for m in maps)
    assert 'not a ClearGrasp release' in read_checkpoint(path)['note']
    with pytest.raises(CheckpointError, match='trained at output stride 16'):
        load_backbone(ClearGraspResNet(18, trained_stride=8), path)


def test_backbone_and_normalization_of_a_config(tmp_path, toy_plates):
    images = sorted((toy_plates / 'train').glob('*.jpg'))[:4]
    preprocessor = dict(mean=[127, 127, 127], std=[128, 128, 128])
    config = dict(type='TimmBackbone', network='tf_efficientnet_lite0')
    path = write_random_backbone(tmp_path / 'random.pth', images, config, preprocessor)
    backbone = TimmBackbone('tf_efficientnet_lite0')
    load_backbone(backbone, path)
    with torch.no_grad():
        maps = backbone.eval()(2 * torch.rand(1, 3, 128, 128) - 1)
    assert all(0.1 < m.std() < 10 for m in maps)


def test_the_same_seed_gives_the_same_weights(tmp_path, toy_plates):
    images = sorted((toy_plates / 'train').glob('*.jpg'))[:2]
    files = [write_random_backbone(tmp_path / f'{k}.pth', images, RESNET18) for k in (1, 2)]
    first, second = (read_checkpoint(file)['model_state_dict'] for file in files)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_an_unreadable_image_is_named(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'no image')
    with pytest.raises(DataError, match='a.jpg'):
        write_random_backbone(tmp_path / 'out.pth', [tmp_path / 'a.jpg'], RESNET18)
    assert not (tmp_path / 'out.pth').exists()
