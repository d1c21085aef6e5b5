"""The first NaN or infinite loss ends a run with one message."""

import pytest
import torch

from mmdet_cleargrasp.engine.hooks import FiniteLossHook
from mmdet_cleargrasp.utils.errors import TrainingError


class Optimizer:
    def get_lr(self):
        return {'lr': [0.1]}


class RunnerOfOneStep:
    """What the hook reads of a runner."""

    epoch, work_dir, optim_wrapper = 2, 'work_dirs/run', Optimizer()


def step(**losses):
    outputs = {name: torch.tensor(value) for name, value in losses.items()}
    FiniteLossHook().after_train_iter(RunnerOfOneStep(), 4, {'path': ['a.jpg']}, outputs)


def test_finite_losses_pass():
    step(loss=1.0, loss_cls=0.5)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_nan_or_infinite_loss_stops_the_training(value):
    with pytest.raises(TrainingError, match=r'epoch 3, step 5 \(loss, loss_cls; .*a\.jpg') as info:
        step(loss=value, loss_cls=value, loss_bbox=0.1)
    assert 'load_from=CHECKPOINT' in str(info.value)
