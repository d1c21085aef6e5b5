"""Backbone files of every published layout load completely, and others are refused."""

import argparse

import numpy as np
import pytest
import torch
import torchvision
from mmengine.registry import WEIGHT_INITIALIZERS

from mmdet_cleargrasp.checkpoints import load_backbone, open_backbone
from mmdet_cleargrasp.models.backbones import ClearGraspResNet
from mmdet_cleargrasp.utils.errors import CheckpointError


@pytest.fixture(scope='module')
def weights():
    torch.manual_seed(1)
    return ClearGraspResNet(18, frozen=False).state_dict()


def prefixed(weights, prefix):
    return {prefix + name: tensor for name, tensor in weights.items()}


HEADS = {'aspp.conv1.weight': torch.ones(1), 'decoder.conv1.weight': torch.ones(1)}


@pytest.mark.parametrize(
    'wrap',
    [
        lambda w: w,
        lambda w: {'state_dict': w},
        lambda w: {'model': w, 'args': argparse.Namespace(lr=0.02), 'epoch': np.int64(3)},
        lambda w: {'epoch': 3, 'best_pred': np.float64(0.5), 'optimizer': {'state': {0: {'step': 1}}},
                   'state_dict': {**prefixed(w, 'module.backbone.'), **HEADS}},
        lambda w: {'model_state_dict': {**prefixed(w, 'backbone.'), **HEADS}, 'epoch': 7},
        lambda w: {'model_state_dict': {**prefixed(w, 'module.backbone.'), **HEADS}},
        lambda w: {'state_dict': prefixed(w, 'module.')},
        lambda w: {'state_dict': {**prefixed(w, 'backbone.'), 'rpn_head.x': torch.ones(1)}, 'meta': {}},
        lambda w: {**w, 'fc.weight': torch.ones(5), 'fc.bias': torch.ones(5)},
        lambda w: {k: v for k, v in w.items() if not k.endswith('num_batches_tracked')},
        lambda w: {k: v.half() if v.is_floating_point() else v for k, v in w.items()},
    ],
    ids=['flat', 'state_dict', 'torchvision references', 'pth.tar', 'cleargrasp', 'data parallel', 'module', 'mmdet', 'classifier',
         'before torch 0.4.1', 'half'],
)  # fmt: skip
def test_every_published_layout_loads_completely(tmp_path, weights, wrap):
    name = 'file.pth.tar'
    torch.save(wrap(weights), tmp_path / name, _use_new_zipfile_serialization=False)
    backbone = ClearGraspResNet(18)
    load_backbone(backbone, tmp_path / name)
    for name, tensor in backbone.state_dict().items():
        assert torch.allclose(tensor.float(), weights[name].float(), atol=1e-3), name


def test_torchvision_s_file_loads(tmp_path):
    network = torchvision.models.resnet50(weights=None)
    torch.save(network.state_dict(), tmp_path / 'resnet50.pth')
    backbone = ClearGraspResNet(50)
    file = load_backbone(backbone, tmp_path / 'resnet50.pth')
    assert file.skipped == {'fc': 2}
    assert torch.equal(backbone.layer4[2].conv3.weight, network.layer4[2].conv3.weight)


def test_weights_of_init_cfg_are_not_overwritten(tmp_path, weights):
    torch.save({'model_state_dict': prefixed(weights, 'backbone.')}, tmp_path / 'file.pth')
    init_cfg = dict(type='ClearGraspCheckpoint', checkpoint=str(tmp_path / 'file.pth'))
    backbone = ClearGraspResNet(18, init_cfg=init_cfg)
    backbone.init_weights()
    assert all(torch.equal(weights[name], tensor) for name, tensor in backbone.state_dict().items())


def test_the_init_cfg_type_is_registered_without_a_scope():
    assert WEIGHT_INITIALIZERS.get('ClearGraspCheckpoint') is not None


def test_family_epoch_and_skipped_parts_of_a_file(tmp_path, weights):
    content = {'model_state_dict': {**prefixed(weights, 'backbone.'), **HEADS}, 'epoch': 7}
    torch.save(content, tmp_path / 'file.pth')
    file = open_backbone(tmp_path / 'file.pth')
    assert (file.family.name, file.epoch, len(file.tensors)) == ('ResNet-18', 7, len(weights))
    assert file.skipped == {'aspp': 1, 'decoder': 1}


def drn(weights):
    names = ['layer0.0.weight', *(f'layer{k}.{b}.conv{c}.weight' for k in range(3, 7)
             for b in range({3: 3, 4: 4, 5: 6, 6: 3}[k]) for c in (1, 2, 3)),
             'layer7.0.weight', 'layer8.0.weight']  # fmt: skip
    return prefixed({name: torch.ones(1) for name in names}, 'backbone.')


def without(weights, name):
    return {key: value for key, value in weights.items() if key != name}


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda w: drn(w), 'holds DRN-D-54 .*asks for ResNet-18.*released .*are DRN-D-54.*'
         r"configs/\*_drn54_plates.py, set backbone=dict\(type='ClearGraspDRN', arch='D-54'"),
        (lambda w: ClearGraspResNet(34, frozen=False).state_dict(),
         r"holds ResNet-34 .*asks for ResNet-18.*backbone=dict\(type='ClearGraspResNet', depth=34"),
        (lambda w: without(w, 'layer4.1.conv2.weight'), r'1 missing \(first: layer4.1.conv2.weight\)'),
        (lambda w: without(w, 'bn1.running_var'), 'bn1.running_var'),
        (lambda w: {**w, 'layer1.0.extra': torch.ones(1)}, '1 unexpected .*layer1.0.extra.*more layers than a ResNet-18'),
        (lambda w: {**w, 'bn1.bias': torch.ones(3)}, r'bn1.bias \(3,\) instead of \(64,\)'),
        (lambda w: {**w, 'bn1.bias': torch.full((64,), torch.nan)}, r'1 unusable \(first: bn1.bias, not finite'),
        (lambda w: {**w, 'bn1.running_var': -w['bn1.running_var']}, 'bn1.running_var, negative'),
        (lambda w: {**w, 'bn1.bias': w['bn1.bias'].to(torch.int8)}, 'torch.int8 instead of floating'),
        (lambda w: {**w, 'bn1.bias': w['bn1.bias'].to_sparse()}, 'holds a sparse tensor, expected dense'),
        (lambda w: {**w, 'bn1.bias': w['bn1.bias'].to(torch.complex64)}, 'torch.complex64 instead of floating'),
        (lambda w: {**w, 'bn1.bias': w['bn1.bias'] > 0}, 'torch.bool instead of floating'),
        (lambda w: {**w, 'bn1.bias': torch.quantize_per_tensor(w['bn1.bias'], 0.1, 0, torch.qint8)}, 'holds a quantized tensor'),
        (lambda w: {**w, 'bn1.bias': w['bn1.bias'].to('meta')}, r'holds a tensor without numbers \(meta\)'),
        (lambda w: {**w, 'bn1.bias': torch.zeros(1).expand(64)}, r'64 elements over 1 .*\(expanded\)'),
        (lambda w: {**w, 'bn1.bias': torch.zeros(64, 64)[:, 0].as_strided((64,), (0,))}, r'bn1.bias, one number expanded .*stride 0'),
        (lambda w: {'state_dict': [1, 2]}, 'its state dict is a list'),
        (lambda w: {**w, 'conv1.weight': torch.tensor(1.0)}, 'another stem'),
        (lambda w: {'encoder.weight': torch.ones(1)}, 'an unknown network'),
        (lambda w: {'state_dict': {}}, 'holds no tensors by name, but state_dict'),
        (lambda w: [1, 2], 'holds a list'),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused(tmp_path, weights, spoil, message):
    torch.save(spoil(weights), tmp_path / 'file.pth')
    backbone = ClearGraspResNet(18)
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    with pytest.raises(CheckpointError, match=message):
        load_backbone(backbone, tmp_path / 'file.pth')
    assert all(torch.equal(before[name], tensor) for name, tensor in backbone.state_dict().items())


@pytest.mark.parametrize('about', [
    {'trained_stride': 16},
    {'meta': {'cfg': "backbone=dict(\n    trained_stride=16,\n    type='ClearGraspResNet')"}},
])  # fmt: skip
def test_a_file_that_was_trained_at_another_stride_is_refused(tmp_path, weights, about):
    torch.save({'state_dict': weights, **about}, tmp_path / 'file.pth')
    assert load_backbone(ClearGraspResNet(18, trained_stride=16), tmp_path / 'file.pth')
    with pytest.raises(CheckpointError, match='Set model.backbone.trained_stride=16'):
        load_backbone(ClearGraspResNet(18, trained_stride=8), tmp_path / 'file.pth')


def test_numbers_with_thousands_of_digits_are_ignored(tmp_path, weights):
    digits = '9' * 5000  # more than int() converts
    about = {'meta': {'cfg': f'trained_stride={digits}'}}
    torch.save({'state_dict': weights, **about}, tmp_path / 'file.pth')
    assert load_backbone(ClearGraspResNet(18), tmp_path / 'file.pth').trained_stride is None
    torch.save({'state_dict': {**weights, f'layer{digits}.0.x': torch.ones(1)}}, tmp_path / 'b.pth')
    with pytest.raises(CheckpointError, match='1 unexpected'):
        load_backbone(ClearGraspResNet(18), tmp_path / 'b.pth')


def test_the_trained_stride_changes_the_maps_of_stages_3_and_4():
    torch.manual_seed(0)
    one = ClearGraspResNet(18, trained_stride=16, frozen=False).eval()
    other = ClearGraspResNet(18, trained_stride=8, frozen=False).eval()
    other.load_state_dict(one.state_dict())
    with torch.no_grad():
        image = torch.rand(1, 3, 96, 96)
        same = [
            torch.allclose(a, b, atol=1e-5) for a, b in zip(one(image), other(image), strict=True)
        ]
    assert same == [True, True, False, False]
