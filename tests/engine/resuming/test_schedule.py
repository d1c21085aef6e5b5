"""A run that is resumed to go on for longer has the rates of a run that was as long at once."""

import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mmdet_cleargrasp.engine.resuming import ResumableTrainLoop

STEPS = 20


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(1))

    def forward(self, x, mode='tensor'):
        return {'loss': (self.slope * x - x).square().mean()}


def schedule(kind, epochs):
    if kind == 'cosine':
        return [
            dict(type='LinearLR', start_factor=0.05, begin=0, end=1, convert_to_iter_based=True),
            dict(type='CosineAnnealingLR', begin=1, end=epochs, T_max=epochs - 1, eta_min=1e-3,
                 convert_to_iter_based=True),
        ]  # fmt: skip
    return [dict(type='MultiStepLR', milestones=[epochs // 2], gamma=0.1, end=epochs)]


def train(work_dir, epochs, kind, resume=False):
    init_default_scope('mmdet')
    data = [{'x': torch.tensor([float(k)])} for k in range(STEPS)]
    rates = []
    runner = Runner(
        model=Line(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=data, batch_size=1, num_workers=0, collate_fn=default_collate,
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        train_cfg=dict(type=ResumableTrainLoop, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        param_scheduler=schedule(kind, epochs),
        default_hooks=dict(logger=None),
        custom_hooks=[dict(type='ScheduleHook'), dict(type='PlainCheckpointHook')],
        default_scope='mmdet',
        resume=resume,
        experiment_name=f'{work_dir.name}_{epochs}_{resume}',
    )  # fmt: skip
    step = runner.model.train_step

    def noted(data, optim_wrapper):
        rates.append(optim_wrapper.get_lr()['lr'][0])
        return step(data, optim_wrapper)

    runner.model.train_step = noted
    runner.train()
    return rates


@pytest.mark.parametrize('kind', ['cosine', 'steps'])
def test_longer_after_resuming(tmp_path, kind):
    whole = train(tmp_path / 'whole', 4, kind)
    train(tmp_path / 'parts', 2, kind)
    rest = train(tmp_path / 'parts', 4, kind, resume=True)
    assert len(whole) == 4 * STEPS and len(rest) == 2 * STEPS
    assert rest == pytest.approx(whole[2 * STEPS :], rel=1e-6)


def test_resuming_at_the_last_epoch_trains_nothing(tmp_path):
    whole = train(tmp_path / 'whole', 3, 'cosine')
    again = train(tmp_path / 'whole', 3, 'cosine', resume=True)
    assert whole[-1] < whole[STEPS] and again == []
