import json

import numpy as np
import pytest
import torch
import torchvision
from torchvision.models.feature_extraction import create_feature_extractor

from mmdet_cleargrasp.models.backbones import ClearGraspResNet
from tests import published_files
from tests.parity import reference_weights
from tests.parity.load import PARITY, load_reference


@pytest.mark.parametrize(
    ('name', 'depth', 'stride'), [('resnet50_os8', 50, 8), ('resnet101_os16', 101, 16)]
)
def test_every_stage_equals_the_reference(name, depth, stride):
    backbone = ClearGraspResNet(depth, trained_stride=stride, output_stride=stride).eval()
    backbone.load_state_dict(load_reference(name))
    recorded = np.load(PARITY / f'{name}.npz')
    maps = backbone(torch.from_numpy(reference_weights.reference_image()))
    for stage, found in enumerate(maps, 1):
        expected = recorded[f'layer{stage}']
        assert tuple(found.shape) == tuple(recorded[f'layer{stage}_shape'])
        difference = np.abs(found[0, ::16].numpy() - expected).max()
        assert difference <= 1e-4 * np.abs(expected).max(), f'layer{stage}'


@pytest.mark.parametrize('name', ['resnet50_os8', 'resnet101_os16'])
def test_tensor_names_equal_the_reference(name):
    keys = json.loads((PARITY / f'{name}.keys.json').read_text())
    backbone = ClearGraspResNet(int(name[6:].split('_')[0]), trained_stride=16, frozen=False)
    assert {k: list(v.shape) for k, v in backbone.state_dict().items()} == keys


@pytest.mark.parametrize('size', [(96, 128), (97, 131), (75, 61)], ids=str)
@pytest.mark.parametrize(
    ('depth', 'trained', 'output'),
    [(18, 8, 32), (34, 8, 16), (50, 8, 32), (50, 8, 16), (101, 16, 32)],
)
def test_subsampled_maps_equal_the_dense_maps(depth, trained, output, size):
    torch.manual_seed(0)
    dense = ClearGraspResNet(depth, trained, output_stride=trained, frozen=False).eval()
    sparse = ClearGraspResNet(depth, trained, output_stride=output, frozen=False).eval()
    weights = (
        load_reference(f'resnet{depth}_os{trained}')
        if (depth, trained) in ((50, 8), (101, 16))
        else dense.state_dict()
    )
    dense.load_state_dict(weights)
    sparse.load_state_dict(weights)
    images = torch.rand(2, 3, *size)
    with torch.no_grad():
        pairs = list(zip(dense(images), sparse(images), strict=True))
    for (full, found), stride, wanted in zip(
        pairs, dense.out_strides, sparse.out_strides, strict=True
    ):
        expected = full[..., :: wanted // stride, :: wanted // stride]
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_shapes_of_the_maps_for_the_cleargrasp_decoder():
    backbone = ClearGraspResNet(50, output_stride=8, frozen=False, out_indices=(0, 3)).eval()
    with torch.no_grad():
        low, high = backbone(torch.rand(1, 3, 512, 512))
    assert low.shape == (1, 256, 128, 128)
    assert high.shape == (1, 2048, 64, 64)


@pytest.mark.parametrize('depth', [18, 34, 50, 101, 152])
@pytest.mark.parametrize(('trained', 'output'), [(8, 8), (8, 16), (8, 32), (16, 16), (16, 32)])
def test_maps_have_the_published_channels_and_strides(depth, trained, output):
    backbone = ClearGraspResNet(depth, trained, output, frozen=False, out_indices=(1, 2, 3)).eval()
    with torch.no_grad():
        maps = backbone(torch.rand(1, 3, 32, 64))
    assert tuple(m.shape[1] for m in maps) == backbone.out_channels
    assert [m.shape[2:] for m in maps] == [(32 // s, 64 // s) for s in backbone.out_strides]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(depth=42), r'depth=42, expected one of \(18, 34, 50, 101, 152\)'),
        (dict(trained_stride=4), r'trained_stride=4, expected one of \(8, 16, 32\)'),
        (dict(output_stride=4), r'output_stride=4, expected one of \(8, 16, 32\)'),
        (dict(trained_stride=16, output_stride=8), r'output_stride=8, expected one of \(16, 32\)'),
        (dict(multi_grid=(1, 2)), r'multi_grid=\(1, 2\), expected at least 3'),
        (dict(multi_grid=(1, 0, 4)), 'multi_grid'),
        (dict(out_indices=(0, 4)), r'out_indices=\(0, 4\), expected .*\(0, 1, 2, 3\)'),
        (dict(out_indices=()), 'out_indices'),
        (dict(out_indices=(2, 1)), 'ascending'),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClearGraspResNet(**{'depth': 50, **arguments})


def test_stages_after_the_last_returned_one_are_not_computed():
    backbone = ClearGraspResNet(18, frozen=False, out_indices=(0, 1)).eval()
    backbone.layer4.register_forward_pre_hook(lambda *_: pytest.fail('layer4 was computed'))
    assert len(backbone(torch.rand(1, 3, 64, 64))) == 2


@pytest.mark.parametrize('depth', [18, 50])
def test_without_dilation_maps_equal_torchvision(depth):
    reference = published_files.seeded(getattr(torchvision.models, f'resnet{depth}')(weights=None))
    backbone = ClearGraspResNet(depth, trained_stride=32, frozen=False).eval()
    weights = {k: v for k, v in reference.state_dict().items() if not k.startswith('fc.')}
    backbone.load_state_dict(weights)
    names = [f'layer{stage}' for stage in (1, 2, 3, 4)]
    stages = create_feature_extractor(reference.eval(), names)
    images = torch.rand(1, 3, 70, 96)
    with torch.no_grad():
        for found, expected in zip(backbone(images), stages(images).values(), strict=True):
            assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)
