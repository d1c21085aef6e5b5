import pytest
import torch

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.engine.config_changes import set_epochs
from mmdet_cleargrasp.engine.config_data import use_data_root
from mmdet_cleargrasp.engine.resuming import resume
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.engine.training import train
from mmdet_cleargrasp.utils.errors import ConfigError


@pytest.fixture
def cfg(tiny_config, toy_plates, tmp_path):
    hook = dict(type='FreezeBackboneHook', epochs=1)
    options = {'model.backbone.frozen': False, 'custom_hooks': [hook]}
    options['optim_wrapper.paramwise_cfg'] = dict(custom_keys=dict(backbone=dict(lr_mult=0.1)))
    cfg = load_config(tiny_config, work_dir=tmp_path / 'run', cfg_options=options)
    use_data_root(cfg, toy_plates)
    set_epochs(cfg, 2)
    return cfg


def backbone_after(cfg, epoch):
    state = read_checkpoint(f'{cfg.work_dir}/epoch_{epoch}.pth')['state_dict']
    return {n[9:]: tensor for n, tensor in state.items() if n.startswith('backbone.')}


def same(first, second):
    return all(torch.equal(first[name], tensor) for name, tensor in second.items())


def test_backbone_learns_after_the_first_epochs_and_in_a_resumed_run(cfg, backbone_files):
    train(read_plan(cfg))
    start = torch.load(backbone_files(18), weights_only=True)['model_state_dict']
    start = {name[9:]: tensor for name, tensor in start.items()}
    assert same(backbone_after(cfg, 1), start)
    assert not same(backbone_after(cfg, 2), start)

    before = backbone_after(cfg, 2)
    set_epochs(cfg, 3)
    resume(cfg, 'auto')
    train(read_plan(cfg))
    assert not same(backbone_after(cfg, 3), before)


@pytest.mark.parametrize(
    ('backbone', 'message'),
    [
        (dict(frozen=True), 'set model.backbone.frozen=False'),
        (dict(_delete_=True, type='ResNet', depth=18), 'cannot freeze a ResNet'),
    ],
    ids=['frozen for good', 'of another kind'],
)
def test_backbones_that_it_is_not_for_are_refused(cfg, backbone, message):
    cfg.merge_from_dict(dict(model=dict(backbone=backbone)))
    with pytest.raises(ConfigError, match=message):
        train(read_plan(cfg))
