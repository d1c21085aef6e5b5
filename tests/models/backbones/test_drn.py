import json

import numpy as np
import pytest
import torch

from mmdet_cleargrasp.checkpoints import load_backbone
from mmdet_cleargrasp.models.backbones import ClearGraspDRN
from mmdet_cleargrasp.models.backbones.drn import ARCHS
from mmdet_cleargrasp.utils.errors import CheckpointError
from tests import published_files
from tests.parity import reference_weights
from tests.parity.load import PARITY, load_reference

ALL = (0, 1, 2, 3, 4)
RECORDED = {'drn_d_22': 'D-22', 'drn_d_54': 'D-54'}


@pytest.mark.parametrize('name', RECORDED)
def test_every_layer_equals_the_reference(name):
    backbone = ClearGraspDRN(RECORDED[name], output_stride=8, out_indices=ALL).eval()
    backbone.load_state_dict(load_reference(name))
    recorded = np.load(PARITY / f'{name}.npz')
    maps = backbone(torch.from_numpy(reference_weights.reference_image()))
    for layer, found in zip((3, 4, 5, 6, 8), maps, strict=True):
        expected = recorded[f'layer{layer}']
        assert tuple(found.shape) == tuple(recorded[f'layer{layer}_shape'])
        difference = np.abs(found[0, ::16].numpy() - expected).max()
        assert difference <= 1e-5 * np.abs(expected).max(), f'layer{layer}'


@pytest.mark.parametrize('name', RECORDED)
def test_tensor_names_equal_the_reference(name):
    keys = json.loads((PARITY / f'{name}.keys.json').read_text())
    backbone = ClearGraspDRN(RECORDED[name], 8, frozen=False, out_indices=ALL)
    assert {k: list(v.shape) for k, v in backbone.state_dict().items()} == keys


@pytest.mark.parametrize('size', [(64, 96), (75, 61)], ids=str)
@pytest.mark.parametrize(('arch', 'output'), [('D-22', 32), ('C-26', 16), ('D-54', 32)])
def test_subsampled_maps_equal_the_dense_maps(arch, output, size):
    dense = published_files.seeded(ClearGraspDRN(arch, 8, frozen=False)).eval()
    sparse = ClearGraspDRN(arch, output, frozen=False).eval()
    sparse.load_state_dict(dense.state_dict())
    images = torch.rand(1, 3, *size)
    with torch.no_grad():
        pairs = list(zip(dense(images), sparse(images), strict=True))
    for (full, found), stride, wanted in zip(
        pairs, dense.out_strides, sparse.out_strides, strict=True
    ):
        expected = full[..., :: wanted // stride, :: wanted // stride]
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize(('output', 'indices'), [(8, ALL), (16, (1, 3)), (32, (0, 1, 2, 3))])
def test_maps_have_the_published_channels_and_strides(arch, output, indices):
    backbone = ClearGraspDRN(arch, output, frozen=False, out_indices=indices).eval()
    with torch.no_grad():
        maps = backbone(torch.rand(1, 3, 32, 64))
    assert tuple(m.shape[1] for m in maps) == backbone.out_channels
    assert [m.shape[2:] for m in maps] == [(32 // s, 64 // s) for s in backbone.out_strides]


def test_channels_and_strides_of_drn_d_54():
    dense = ClearGraspDRN('D-54', 8, frozen=False, out_indices=ALL)
    assert dense.out_channels == (256, 512, 1024, 2048, 512)
    assert dense.out_strides == (4, 8, 8, 8, 8)
    assert ClearGraspDRN('D-54', frozen=False).out_strides == (4, 8, 16, 32)


@pytest.mark.parametrize('wrap', [published_files.cleargrasp, None], ids=['cleargrasp', 'authors'])
@pytest.mark.parametrize(('indices', 'tensors'), [((0, 1, 2, 3), 138), (ALL, 150)])
def test_released_checkpoints_load(tmp_path, wrap, indices, tensors):
    whole = ClearGraspDRN('D-22', 8, frozen=False, out_indices=ALL)
    content = wrap(whole) if wrap else published_files.drn_of_its_authors('D-22')
    torch.save(content, tmp_path / 'file.pth')
    backbone = ClearGraspDRN('D-22', 8, out_indices=indices)
    file = load_backbone(backbone, tmp_path / 'file.pth')
    assert len(file.tensors) == tensors == len(backbone.state_dict())
    unused = {'layer7': 6, 'layer8': 6} if 4 not in indices else {}
    assert {part: n for part, n in file.skipped.items() if part.startswith('layer')} == unused


def test_layers_7_and_8_must_be_in_the_checkpoint_if_used(tmp_path):
    torch.save(ClearGraspDRN('D-22', frozen=False).state_dict(), tmp_path / 'file.pth')
    load_backbone(ClearGraspDRN('D-22'), tmp_path / 'file.pth')
    with pytest.raises(CheckpointError, match=r'10 missing \(first: layer7.0.weight'):
        load_backbone(ClearGraspDRN('D-22', 8, out_indices=ALL), tmp_path / 'file.pth')


def test_layers_after_the_last_returned_one_are_not_computed():
    backbone = ClearGraspDRN('D-22', frozen=False, out_indices=(0, 1)).eval()
    backbone.layer5.register_forward_pre_hook(lambda *_: pytest.fail('layer5 was computed'))
    assert len(backbone(torch.rand(1, 3, 64, 64))) == 2
    assert not hasattr(backbone, 'layer7')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(arch='D-50'), "arch='D-50', expected one of C-26.*D-54"),
        (dict(output_stride=4), r'output_stride=4, expected one of \(8, 16, 32\)'),
        (dict(out_indices=(5,)), r'out_indices=\(5,\), expected .*\(0, 1, 2, 3, 4\)'),
        (dict(out_indices=()), 'out_indices'),
        (dict(out_indices=(1, 0)), 'ascending'),
        (dict(out_indices=(3, 4)), 'layers 7 and 8 need the dense map'),
        (dict(out_indices=(4,), output_stride=16), 'only at output_stride=8'),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClearGraspDRN(**arguments)
