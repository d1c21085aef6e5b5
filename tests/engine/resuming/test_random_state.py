"""Workers are seeded, heed SIGTERM from their parent alone, and the generators come back."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmdet_cleargrasp.engine.resuming.random_state import (
    init_worker,
    random_state,
    restore_random_state,
)


class Draws(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return torch.tensor([random.random(), np.random.rand(), float(os.getpid())])


def draw(seed):
    torch.manual_seed(seed)
    loader = DataLoader(Draws(), num_workers=2, worker_init_fn=init_worker)
    return torch.cat(list(loader))[:, :2]


def test_workers_draw_from_the_epoch_s_seed():
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    assert len(draw(1).flatten().unique()) == 8


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='Linux')
def test_only_the_parent_ends_a_worker():
    loader = DataLoader(Draws(), num_workers=1, persistent_workers=True, worker_init_fn=init_worker)
    worker = int(next(iter(loader))[0, 2])
    kill = f'import os, signal; os.kill({worker}, signal.SIGTERM)'
    subprocess.run([sys.executable, '-c', kill], check=True)  # a process that is not its parent
    time.sleep(0.3)
    assert {int(batch[0, 2]) for batch in loader} == {worker}
    process = loader._iterator._workers[0]
    assert process.pid == worker
    process.terminate()
    process.join(timeout=10)
    assert process.exitcode == 0


def test_generators_round_trip():
    state = random_state()
    first = (random.random(), np.random.rand(), torch.rand(1).item())
    restore_random_state(state)
    assert first == (random.random(), np.random.rand(), torch.rand(1).item())
