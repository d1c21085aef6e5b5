"""The largest batch size, with a memory that is simulated."""

import pytest
import torch

from mmdet_cleargrasp.engine import batch_size
from mmdet_cleargrasp.engine.prepare import RunOptions, prepare
from mmdet_cleargrasp.utils.errors import ConfigError


@pytest.mark.parametrize(
    ('memory', 'most', 'expected'),
    [
        (1, 256, 1),
        (6, 256, 4),
        (8, 256, 8),
        (10_000, 256, 256),  # never more than asked for
        (10_000, 100, 64),
    ],
)
def test_sizes_are_doubled_until_memory_is_full(memory, most, expected):
    tried = []

    def step(size):
        tried.append(size)
        if size > memory:
            raise torch.OutOfMemoryError

    assert batch_size.largest_batch_size(step, most) == expected
    assert tried == sorted(set(tried))


def test_not_even_one_image_fits():
    def step(size):
        raise torch.OutOfMemoryError

    with pytest.raises(ConfigError, match='--batch-size auto: a step with one image'):
        batch_size.largest_batch_size(step, 8)


def test_other_errors_are_not_taken_for_a_full_memory():
    def step(size):
        raise ValueError('a bug')

    with pytest.raises(ValueError, match='a bug'):
        batch_size.largest_batch_size(step, 8)


def test_a_trial_trains_on_the_run_s_own_images(tiny_config, toy_plates, tmp_path):
    options = RunOptions(work_dir=tmp_path, data_root=toy_plates, batch_size='auto')
    plan = prepare(tiny_config, options)
    assert plan.largest_batch
    step, images = batch_size.build_trial_step(plan.cfg)
    step(2)
    assert images == 6
    assert batch_size.size_limit(images) == 1  # larger batches would leave an epoch few steps


def test_without_a_gpu(tiny_config, tmp_path, monkeypatch):
    plan = prepare(tiny_config, RunOptions(work_dir=tmp_path, batch_size='auto'))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ConfigError, match='needs a GPU: on a CPU, pass a number'):
        batch_size.use_largest_batch(plan.cfg)
