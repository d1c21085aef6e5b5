"""The backbone checkpoint in the repository."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

from mmdet_cleargrasp.checkpoints import open_backbone
from mmdet_cleargrasp.engine.run_config import load_config
from tests.conftest import ROOT

FILE = ROOT / 'checkpoints' / 'resnet50_pretrained_on_renders.pth'


def test_it_is_small_and_says_that_it_is_not_cleargrasp_s():
    assert FILE.stat().st_size <= 50e6
    file = open_backbone(FILE)
    assert 'not a ClearGrasp release' in file.note
    assert all(torch.isfinite(tensor).all() for tensor in file.tensors.values())
    card = (ROOT / 'checkpoints' / 'README.md').read_text()
    assert "**This is not ClearGrasp's release.**" in card


@pytest.mark.parametrize('name', ['frcnn_cleargrasp_plates', 'retinanet_cleargrasp_plates'])
def test_configs_use_it_at_the_output_stride_of_its_training(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    backbone_cfg = load_config(ROOT / 'configs' / f'{name}.py').model.backbone
    assert backbone_cfg.trained_stride == 16
    init_default_scope('mmdet')
    backbone = MODELS.build(backbone_cfg)
    backbone.init_weights()
    with torch.no_grad():
        maps = backbone.train()(torch.rand(1, 3, 64, 64))
    assert all(0 < level.std() < 10 for level in maps)
