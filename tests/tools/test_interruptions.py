"""Runs that are told to stop, killed, or diverge, as their users meet it."""

import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest
import torch

from mmdet_cleargrasp.checkpoints import read_checkpoint

from ..conftest import ROOT

EPOCHS = 3


@pytest.fixture
def train(tiny_config, toy_plates):
    """Start tools/train.py with two loading processes; returns the process."""

    def start(work_dir, *options, limit=None, workers=2):
        command = [
            sys.executable, 'tools/train.py', tiny_config, '--data-root', toy_plates, '--work-dir',
            work_dir, '--epochs', EPOCHS, '--verbose', *options, '--cfg-options',
            f'train_dataloader.num_workers={workers}', 'default_hooks.logger.interval=1',
            f'val_dataloader.num_workers={min(workers, 1)}',
            f'val_dataloader.persistent_workers={workers > 0}',
        ]  # fmt: skip
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # a process group of its own
            preexec_fn=limit
            and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))),
        )

    return start


def finish(process) -> str:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output[-3000:]
    return output


def weights(work_dir):
    return read_checkpoint(work_dir / f'epoch_{EPOCHS}.pth')['state_dict']


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert not [name for name in one if not torch.equal(one[name], other[name])]


def wait_for_line(process, words) -> None:
    for line in process.stdout:
        if all(word in line for word in words):
            return
    raise AssertionError(f'{words} never came')


@pytest.mark.parametrize(
    ('workers', 'number', 'status'),
    [
        (2, signal.SIGTERM, 143),
        pytest.param(0, signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(2, signal.SIGINT, 130, marks=pytest.mark.slow),
    ],
)
def test_a_signal_saves_and_resuming_gives_the_same_result(
    train, tmp_path, workers, number, status
):
    finish(train(tmp_path / 'whole', workers=workers))

    process = train(tmp_path / 'stopped', workers=workers)
    wait_for_line(process, ['Epoch(train)', '[2][1/3]'])
    os.killpg(process.pid, number)  # to the workers too, as Slurm and terminals do
    output, _ = process.communicate(timeout=300)
    assert process.returncode == status
    assert 'interrupted.pth' in output and 'Traceback' not in output
    stopped = read_checkpoint(tmp_path / 'stopped' / 'interrupted.pth')
    assert stopped['meta']['epoch'] == 1 and stopped['meta']['iter'] in (4, 5)
    assert stopped['meta']['batches'] in ((1, 3), (2, 3))

    resumed = finish(train(tmp_path / 'stopped', '--resume', workers=workers))
    assert 'interrupted.pth' in resumed
    assert_equal(weights(tmp_path / 'whole'), weights(tmp_path / 'stopped'))


def test_nan_or_infinite_loss(run_tool, tiny_config, toy_plates, tmp_path):
    done = run_tool('tools/train.py', tiny_config, '--data-root', toy_plates, '--work-dir',
                    tmp_path / 'run', '--epochs', '1', '--cfg-options',
                    'model.rpn_head.loss_cls.loss_weight=inf', check=False)  # fmt: skip
    assert done.returncode == 1
    assert 'NaN or infinite loss in epoch 1, step 1' in done.stderr
    assert 'Traceback' not in done.stderr
    assert not list((tmp_path / 'run').glob('epoch_*.pth'))


@pytest.mark.slow
def test_full_disk_leaves_earlier_checkpoints_whole(train, tmp_path):
    """A limit on file sizes stands for the full disk: the first checkpoint is there, no other."""
    finish(train(tmp_path / 'run', '--epochs', '1'))
    before = sorted(p.name for p in (tmp_path / 'run').glob('*.pth'))
    size = min(p.stat().st_size for p in (tmp_path / 'run').glob('*.pth'))
    process = train(tmp_path / 'run', '--resume', limit=size // 2)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert 'cannot be written to any more: File too large' in output
    assert 'epoch_1.pth is whole' in output and 'Traceback' not in output
    assert sorted(p.name for p in (tmp_path / 'run').glob('*.pth')) == before
    finish(train(tmp_path / 'run', '--resume'))


@pytest.mark.slow
def test_killed_twenty_times_gives_the_same_result(train, tmp_path):
    """SIGKILL at random moments; every start resumes, and the end is equal to the last bit."""
    started = time.monotonic()
    finish(train(tmp_path / 'whole'))
    whole = time.monotonic() - started

    rng = random.Random(0)
    kills, run = 0, 0
    while kills < 20:
        work_dir = tmp_path / f'killed_{run}'
        process = train(work_dir, '--resume')
        try:
            output, _ = process.communicate(timeout=rng.uniform(0.2, 1.0) * whole)
            assert process.returncode == 0, output[-3000:]
            assert_equal(weights(tmp_path / 'whole'), weights(work_dir))
            run += 1  # it got through between two kills: another run is killed on
            whole *= 0.9  # the machine may be faster than it was
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            # A data worker may have been handing a batch to the killed process.
            assert 'Traceback' not in output or 'resource_sharer' in output, output[-3000:]
            kills += 1
    finish(train(work_dir, '--resume'))
    assert_equal(weights(tmp_path / 'whole'), weights(work_dir))
