"""Every pretraining config builds, trains one step and predicts."""

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.dataset import default_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmdet_cleargrasp import config_dir
from mmdet_cleargrasp.engine.prepare import RunOptions
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.pretraining.running import check_pretraining, prepare_pretraining

CONFIGS = sorted(path.name for path in (config_dir() / 'pretrain').glob('*.py'))


@pytest.mark.parametrize('name', CONFIGS)
def test_config_trains(name, samples, backbone_files, tmp_path):
    options = RunOptions(work_dir=tmp_path, data_root=samples)
    cfg = prepare_pretraining(config_dir() / 'pretrain' / name, options).cfg
    init_default_scope('mmdet')
    has_file = cfg.model.backbone.type != 'TimmBackbone'  # its weights come from a package
    if has_file and cfg.model.backbone.get('init_cfg'):
        cfg.model.backbone.init_cfg.checkpoint = str(backbone_files(50))
    cfg.train_dataloader.batch_size = 2
    assert '://' not in cfg.pretty_text
    assert {f.level for f in check_pretraining(read_plan(cfg))} <= {'ok'}

    np.random.seed(0)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch = default_collate([dataset[0], dataset[1]])
    batch['inputs'] = batch['inputs'][..., :64, :64]
    batch = {k: v[..., :64, :64] if torch.is_tensor(v) else v for k, v in batch.items()}
    torch.manual_seed(0)
    cfg.model.update(channels=16)
    network = MODELS.build(cfg.model)
    network.init_weights()
    network.train()
    before = {name: p.clone() for name, p in network.backbone.named_parameters()}
    losses = network.train_step(batch, build_optim_wrapper(network, cfg.optim_wrapper))
    assert all(torch.isfinite(value) for value in losses.values())
    moved = any(not torch.equal(before[n], p) for n, p in network.backbone.named_parameters())
    assert moved == (not network.backbone.frozen)
    network.eval()
    with torch.no_grad():
        predicted = network.val_step(batch)
    assert set(predicted[0]) == set(cfg.model.tasks)
