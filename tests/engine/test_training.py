import pytest

from mmdet_cleargrasp.engine import training
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.utils.errors import ConfigError


@pytest.fixture
def cfg(tiny_config, tmp_path):
    return load_config(tiny_config, work_dir=tmp_path / 'run')


def test_auto_scale_lr_needs_a_base(cfg):
    training.enable_auto_scale_lr(cfg)
    assert cfg.auto_scale_lr.enable
    cfg.pop('auto_scale_lr')
    with pytest.raises(ConfigError, match='base_batch_size'):
        training.enable_auto_scale_lr(cfg)
