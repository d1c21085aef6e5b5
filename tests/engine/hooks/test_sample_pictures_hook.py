"""Pictures of samples, also of pipelines and batches that lack what a picture could show."""

import types

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from mmdet_cleargrasp.engine.hooks.sample_pictures_hook import (
    TRAIN_FILE,
    VAL_FILE,
    SamplePicturesHook,
)


class Loader(list):
    batch_size = 1
    dataset = types.SimpleNamespace(metainfo={'classes': ('dish',)})


@pytest.fixture
def runner(tmp_path):
    loader = Loader([0, 1])
    logger = MMLogger.get_instance('pictures')
    return types.SimpleNamespace(
        work_dir=tmp_path, train_dataloader=loader, val_dataloader=loader, logger=logger
    )


def sample(truth=True, path=True):
    boxes = InstanceData(bboxes=torch.tensor([[4.0, 4, 20, 20]]), labels=torch.tensor([0]))
    found = InstanceData(**boxes, scores=torch.tensor([0.9]))
    meta = {'img_path': 'a/dish.jpg'} if path else {}
    # PackDetInputs makes an empty gt_instances where a pipeline loads no annotations.
    return DetDataSample(
        metainfo=meta, gt_instances=boxes if truth else InstanceData(), pred_instances=found
    )


INPUTS = torch.zeros(3, 32, 32)


@pytest.mark.parametrize('truth', [True, False])
@pytest.mark.parametrize('path', [True, False])
def test_validation_is_drawn_with_what_there_is(runner, truth, path):
    hook = SamplePicturesHook(count=2)
    hook.before_val_epoch(runner)
    for _ in range(2):
        hook.after_val_iter(runner, 0, {'inputs': [INPUTS]}, [sample(truth, path)])
    hook.after_val_epoch(runner)
    assert (runner.work_dir / VAL_FILE).is_file()


def test_training_batches_are_drawn_once(runner):
    hook = SamplePicturesHook(count=2)
    batch = {'inputs': [INPUTS, INPUTS], 'data_samples': [sample(), sample()]}
    hook.before_train_iter(runner, 0, batch)
    (runner.work_dir / TRAIN_FILE).unlink()
    hook.before_train_iter(runner, 1, batch)
    assert not (runner.work_dir / TRAIN_FILE).exists()


def test_other_batches_than_a_detector_s_are_not_drawn(runner):
    hook = SamplePicturesHook(count=2)
    hook.before_train_iter(runner, 0, {'inputs': INPUTS[None], 'mask': INPUTS[None]})
    hook.before_val_epoch(runner)
    hook.after_val_iter(runner, 0, {'inputs': INPUTS[None]}, [{'mask': INPUTS}])
    hook.after_val_epoch(runner)
    assert not list(runner.work_dir.iterdir())
