"""Pretrained networks are loaded and their predictions on photographs are drawn."""

import cv2
import numpy as np
import pytest
import torch

from mmdet_cleargrasp import config_dir
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.pretraining import ClearGraspNetwork
from mmdet_cleargrasp.pretraining.inference import draw_photographs, load_network
from mmdet_cleargrasp.utils.errors import CheckpointError, DataError
from mmdet_cleargrasp.visualization.boxes import CAPTION_HEIGHT


@pytest.fixture
def cfg():
    cfg = load_config(config_dir() / 'pretrain' / 'resnet50_joint.py')
    cfg.model.update(channels=16)
    cfg.model.backbone.depth = 18
    return cfg


@pytest.fixture
def checkpoint(cfg, tmp_path):
    torch.manual_seed(0)
    model = {key: value for key, value in cfg.model.items() if key != 'type'}
    network = ClearGraspNetwork(**model)
    torch.save({'model_state_dict': network.state_dict()}, tmp_path / 'backbone.pth')
    return tmp_path / 'backbone.pth'


def test_photographs_of_any_size(cfg, checkpoint, tmp_path):
    for name, shape in (('wide.png', (30, 90, 3)), ('high.jpg', (200, 50, 3))):
        cv2.imwrite(str(tmp_path / name), np.full(shape, 120, np.uint8))
    network = load_network(cfg, checkpoint)
    picture = draw_photographs(network, [tmp_path / 'wide.png', tmp_path / 'high.jpg'], (96, 64))
    # a caption and two rows of four columns, with gaps
    assert picture.shape == (CAPTION_HEIGHT + 4 + 2 * (64 + 4), 4 * (96 + 4), 3)


def test_unusable_checkpoints_and_no_photographs_are_refused(
    cfg, checkpoint, tmp_path, backbone_files
):
    with pytest.raises(CheckpointError, match='or is a backbone alone'):
        load_network(cfg, backbone_files(18))
    torch.save({'state_dict': {}}, tmp_path / 'other.pth')
    with pytest.raises(CheckpointError, match='has no model_state_dict'):
        load_network(cfg, tmp_path / 'other.pth')
    with pytest.raises(DataError, match='no photograph'):
        draw_photographs(load_network(cfg, checkpoint), [])
