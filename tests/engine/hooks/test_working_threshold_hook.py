from types import SimpleNamespace

import pytest

from mmdet_cleargrasp.engine.hooks import WorkingThresholdHook
from mmdet_cleargrasp.evaluation.working_threshold import META_KEY, read_working_threshold
from tests.evaluation.test_working_threshold import save

METRICS = {'coco/bbox_mAP': 0.4, 'answers/threshold': 0.43, 'answers/f1': 0.8}


@pytest.fixture
def runner(tmp_path):
    return SimpleNamespace(work_dir=str(tmp_path), epoch=2)


def saved_by(hook, runner):
    checkpoint = {'meta': {}}
    hook.before_save_checkpoint(runner, checkpoint)
    return checkpoint['meta']


def test_checkpoints_have_the_threshold_of_their_own_weights(runner):
    hook = WorkingThresholdHook()
    assert META_KEY not in saved_by(hook, runner)
    hook.after_val_epoch(runner, METRICS)
    assert saved_by(hook, runner)[META_KEY] == {'threshold': 0.43, 'f1': 0.8}
    hook.before_train_iter(runner, 0)
    assert META_KEY not in saved_by(hook, runner)


def test_the_epoch_s_checkpoint_was_saved_before(runner, tmp_path):
    last = save(tmp_path / 'epoch_2.pth')
    WorkingThresholdHook().after_val_epoch(runner, METRICS)
    assert read_working_threshold(last).value == 0.43


@pytest.mark.parametrize('metrics', [None, {}, {'coco/bbox_mAP': 0.0}])
def test_nothing_is_stored_where_nothing_was_found(runner, tmp_path, metrics):
    last = save(tmp_path / 'epoch_2.pth')
    hook = WorkingThresholdHook()
    hook.after_val_epoch(runner, metrics)
    assert META_KEY not in saved_by(hook, runner)
    assert 'default' in str(read_working_threshold(last))
