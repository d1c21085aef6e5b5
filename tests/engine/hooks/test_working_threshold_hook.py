from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

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


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, inputs, mode='loss'):
        return {'loss': self.linear(inputs).sum()} if mode == 'loss' else [0]


class Metric(BaseMetric):
    """The second epoch is better than the third."""

    def __init__(self):
        super().__init__()
        self.epoch = 0

    def process(self, data_batch, data_samples):
        self.results.append(None)

    def compute_metrics(self, results):
        self.epoch += 1
        return {
            'coco/bbox_mAP': {1: 0.1, 2: 0.5, 3: 0.4}[self.epoch],
            'answers/threshold': self.epoch / 10,
            'answers/f1': 0.5,
        }


def test_every_checkpoint_of_a_run_has_its_threshold(tmp_path):
    data = DataLoader([{'inputs': torch.ones(1)}] * 2)
    checkpoint = {'type': 'CheckpointHook', 'interval': 1, 'save_best': 'coco/bbox_mAP',
                  'rule': 'greater'}  # fmt: skip
    Runner(
        model=Model(),
        work_dir=str(tmp_path),
        train_dataloader=data,
        val_dataloader=data,
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
        train_cfg={'by_epoch': True, 'max_epochs': 3},
        val_cfg={},
        val_evaluator=[Metric()],
        default_hooks={'checkpoint': checkpoint},
        custom_hooks=[WorkingThresholdHook()],
        default_scope='mmengine',
        experiment_name=tmp_path.name,
    ).train()
    names = ('epoch_1', 'epoch_2', 'epoch_3', 'best_coco_bbox_mAP_epoch_2')
    stored = [read_working_threshold(tmp_path / f'{name}.pth').value for name in names]
    assert stored == [0.1, 0.2, 0.3, 0.2]
    (tmp_path / 'working_thresholds.json').unlink()
    assert read_working_threshold(tmp_path / 'best_coco_bbox_mAP_epoch_2.pth').value == 0.2
