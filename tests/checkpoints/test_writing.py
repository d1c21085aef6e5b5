"""Checkpoints are written atomically, and half precision is loaded as full."""

import torch

from mmdet_cleargrasp.checkpoints import load_backbone, open_backbone
from mmdet_cleargrasp.checkpoints.writing import plain_backbone, save_atomically
from mmdet_cleargrasp.models.backbones import ClearGraspResNet


def test_half_precision_is_half_the_size_and_loads(backbone_files, tmp_path):
    whole = backbone_files(18)
    half = save_atomically(plain_backbone(open_backbone(whole), half=True), tmp_path / 'half.pth')
    assert half.stat().st_size < 0.52 * whole.stat().st_size
    backbone = ClearGraspResNet(18, frozen=True)
    load_backbone(backbone, half)
    for name, tensor in open_backbone(whole).tensors.items():
        loaded = backbone.state_dict()[name]
        assert loaded.dtype == tensor.dtype
        assert torch.allclose(loaded, tensor, rtol=1e-3, atol=1e-6), name


def test_tensors_beyond_the_range_of_float16_stay_float32(backbone_files):
    file = open_backbone(backbone_files(18))
    file.tensors['bn1.running_var'][:] = 1e6
    tensors = plain_backbone(file, half=True)['model_state_dict']
    assert tensors['bn1.running_var'].dtype == torch.float32
    assert tensors['conv1.weight'].dtype == torch.float16


def test_note_epoch_and_stride_are_kept(backbone_files, tmp_path):
    about = {'epoch': 7, 'note': 'made here', 'trained_stride': 16}
    content = torch.load(backbone_files(18), weights_only=True) | about
    torch.save(content, tmp_path / 'a.pth')
    save_atomically(plain_backbone(open_backbone(tmp_path / 'a.pth')), tmp_path / 'b.pth')
    file = open_backbone(tmp_path / 'b.pth')
    assert (file.epoch, file.note, file.trained_stride) == tuple(about.values())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = save_atomically({'a': 1}, tmp_path / 'x.pth')
    try:
        save_atomically({'a': lambda: None}, path)
    except Exception as error:
        assert 'pickle' in str(error).lower() or isinstance(error, AttributeError)
    assert torch.load(path, weights_only=True) == {'a': 1}
    assert [p.name for p in tmp_path.iterdir()] == ['x.pth']
