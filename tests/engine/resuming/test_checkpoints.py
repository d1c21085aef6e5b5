"""Which checkpoint a run resumes from."""

import os

import pytest
import torch

from mmdet_cleargrasp.engine.resuming import latest_checkpoint, resume
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.utils.errors import CheckpointError, ConfigError

WHOLE = {'state_dict': {'w': torch.zeros(2)}, 'optimizer': {}, 'meta': {'epoch': 1, 'iter': 3}}


@pytest.fixture
def work_dir(tmp_path):
    (tmp_path / 'run').mkdir()
    return tmp_path / 'run'


@pytest.fixture
def cfg(tiny_config, work_dir):
    return load_config(tiny_config, work_dir=work_dir)


def fill(work_dir, whole=(), damaged=(), last=None):
    for name in whole:
        torch.save(WHOLE, work_dir / name)
    for name in damaged:
        torch.save(WHOLE, work_dir / name)
        content = (work_dir / name).read_bytes()
        (work_dir / name).write_bytes(content[: len(content) // 2])
    if last is not None:
        (work_dir / 'last_checkpoint').write_text(last)


@pytest.mark.parametrize(
    ('there', 'expected'),
    [
        ({}, None),
        # as mmengine leaves it
        ({'whole': ['epoch_1.pth', 'epoch_2.pth'], 'last': 'x/run/epoch_2.pth'}, 'epoch_2.pth'),
        # stopped within an epoch, after one that was saved
        ({'whole': ['epoch_2.pth', 'interrupted.pth'], 'last': 'interrupted.pth'}, 'interrupted.pth'),
        # killed before last_checkpoint was written, or while it was
        ({'whole': ['epoch_9.pth', 'epoch_10.pth']}, 'epoch_10.pth'),
        ({'whole': ['epoch_1.pth'], 'last': ''}, 'epoch_1.pth'),
        ({'whole': ['epoch_1.pth'], 'last': 'epoch_2.pth'}, 'epoch_1.pth'),
        # a damaged one is skipped
        ({'whole': ['epoch_1.pth'], 'damaged': ['epoch_2.pth'], 'last': 'epoch_2.pth'}, 'epoch_1.pth'),
        # other files are no checkpoints of the run
        ({'whole': ['best_coco_bbox_mAP_epoch_3.pth', 'backbone.pth']}, None),
    ],
)  # fmt: skip
def test_latest(work_dir, there, expected):
    fill(work_dir, **there)
    found = latest_checkpoint(work_dir)
    assert found == (expected and work_dir / expected)


@pytest.mark.parametrize(
    'spoil',
    [
        lambda path: path.write_bytes(b'\xff\xfe\0epoch'),
        lambda path: path.write_text('x' * 5000),
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path),
        lambda path: path.symlink_to(path),
        lambda path: path.symlink_to('/dev/zero'),
    ],
)
def test_a_damaged_pointer_is_ignored(work_dir, spoil):
    fill(work_dir, whole=['epoch_1.pth'])
    spoil(work_dir / 'last_checkpoint')
    assert latest_checkpoint(work_dir) == work_dir / 'epoch_1.pth'


def test_skipped_checkpoint_is_named(work_dir, capsys):
    fill(work_dir, whole=['epoch_1.pth'], damaged=['epoch_2.pth'])
    latest_checkpoint(work_dir)
    assert 'skipped a checkpoint' in capsys.readouterr().out


def test_all_damaged_is_an_error_not_a_new_start(work_dir):
    fill(work_dir, damaged=['epoch_1.pth', 'epoch_2.pth'])
    with pytest.raises(CheckpointError, match='none of the 2 checkpoints'):
        latest_checkpoint(work_dir)


def test_without_a_checkpoint_a_run_starts_from_the_beginning(cfg):
    assert resume(cfg, 'auto') is None
    assert not cfg.resume


@pytest.mark.parametrize('how', ['auto', 'named'])
def test_resume_sets_the_config(cfg, work_dir, how):
    fill(work_dir, whole=['epoch_1.pth'])
    path = work_dir / 'epoch_1.pth'
    assert resume(cfg, 'auto' if how == 'auto' else str(path)) == path
    assert (cfg.resume, cfg.load_from) == (True, str(path))


def test_resume_does_without_the_backbone_s_file(cfg, work_dir):
    fill(work_dir, whole=['epoch_1.pth'])
    cfg.model.backbone.init_cfg.checkpoint = 'gone.pth'
    resume(cfg, 'auto')
    assert cfg.model.backbone.init_cfg.checkpoint == str(work_dir / 'epoch_1.pth')


def test_resume_from_what_is_not_there_or_no_training_checkpoint(cfg, backbone_files):
    with pytest.raises(CheckpointError, match='no checkpoint at absent.pth'):
        resume(cfg, 'absent.pth')
    with pytest.raises(
        CheckpointError,
        match='lacks state_dict, meta, optimizer: expected a checkpoint of training',
    ):
        resume(cfg, str(backbone_files(18)))


GROUP = {'lr': 1e-5, 'initial_lr': 2e-4, 'weight_decay': 0.01, 'betas': [0.9, 0.999]}


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({}, None),
        ({'lr': 1e-3}, 'trained with lr 0.0002 instead of 0.001'),
        ({'weight_decay': 0.1}, 'trained with weight_decay 0.01 instead of 0.1'),
        ({'betas': (0.8, 0.999)}, 'trained with betas'),
        ({'type': 'SGD', 'momentum': 0.9}, 'another optimizer than SGD'),
    ],
    ids=str,
)
def test_another_optimizer_or_rate_is_refused(cfg, work_dir, changes, message):
    groups = [{**GROUP, 'initial_lr': 2e-5}, GROUP]  # of a backbone at a tenth of the rate, too
    path = work_dir / 'epoch_1.pth'
    torch.save({**WHOLE, 'optimizer': {'param_groups': groups}}, path)
    cfg.optim_wrapper.optimizer.update(changes)
    if message:
        with pytest.raises(ConfigError, match=message):
            resume(cfg, 'auto')
    else:
        assert resume(cfg, 'auto') == path


def test_rate_that_is_scaled_with_the_batch_is_not_compared(cfg, work_dir):
    torch.save({**WHOLE, 'optimizer': {'param_groups': [GROUP]}}, work_dir / 'epoch_1.pth')
    cfg.auto_scale_lr.enable = True
    cfg.optim_wrapper.optimizer.lr = 1e-4
    assert resume(cfg, 'auto')
