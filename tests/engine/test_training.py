import pytest

from mmdet_cleargrasp.engine import training
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.errors import CheckpointError, ConfigError


@pytest.fixture
def cfg(tiny_config, tmp_path):
    return load_config(tiny_config, work_dir=tmp_path / 'run')


def checkpoint(tmp_path):
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'epoch_1.pth').write_bytes(b'weights')
    (tmp_path / 'run' / 'last_checkpoint').write_text(str(tmp_path / 'run' / 'epoch_1.pth'))
    return tmp_path / 'run' / 'epoch_1.pth'


def test_nothing_to_resume_starts_afresh(cfg):
    assert training.resume(cfg, 'auto') is None
    assert not cfg.resume


@pytest.mark.parametrize('how', ['auto', 'named'])
def test_resume_finds_the_checkpoint(cfg, tmp_path, how):
    latest = checkpoint(tmp_path)
    assert training.resume(cfg, 'auto' if how == 'auto' else str(latest)) == latest
    assert (cfg.resume, cfg.load_from) == (True, str(latest))


def test_resume_does_without_the_backbone_s_file(cfg, tmp_path):
    latest = checkpoint(tmp_path)
    cfg.model.backbone.init_cfg.checkpoint = 'gone.pth'
    training.resume(cfg, 'auto')
    assert cfg.model.backbone.init_cfg.checkpoint == str(latest)


def test_resume_from_what_is_not_there_is_refused(cfg):
    with pytest.raises(CheckpointError, match=r'resume at absent.pth'):
        training.resume(cfg, 'absent.pth')


def test_auto_scale_lr_needs_a_base(cfg):
    training.enable_auto_scale_lr(cfg)
    assert cfg.auto_scale_lr.enable
    cfg.pop('auto_scale_lr')
    with pytest.raises(ConfigError, match='base_batch_size'):
        training.enable_auto_scale_lr(cfg)
