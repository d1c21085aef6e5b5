"""Random numbers that an interruption does not change."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import Any

import numpy as np
import torch
from mmdet.registry import HOOKS
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner

from ..loops import ResumableTrainLoop

#: The key under which a checkpoint keeps the state of the generators.
STATE_KEY = 'random_state'


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Draw every epoch's random numbers from the seed and the epoch's number.

    mmengine seeds once, when a run starts: a resumed run repeats the first epoch's numbers, and
    workers that live on cannot be brought back to where they were. Here an epoch draws the same
    whether the run started with it or not, and a checkpoint from the middle of an epoch holds the
    generators' state. With worker processes the loader needs ``persistent_workers=False`` and
    ``worker_init_fn=dict(type='init_worker')``.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process, and through it the workers that are about to start."""
        sequence = np.random.SeedSequence([runner.seed, get_rank(), runner.epoch])
        seed = int(sequence.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)  # CUDA's generators too

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the generators' state."""
        checkpoint[STATE_KEY] = random_state()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Tell the loop where it goes on, and with which random numbers."""
        # Not runner.train_loop, which would build a loop, and its data, for a mere test.
        loop, state = vars(runner)['_train_loop'], checkpoint.get(STATE_KEY)
        if not runner._resume or not isinstance(loop, ResumableTrainLoop):
            return
        loop.resumed_at = tuple(checkpoint['meta'].get('batches', (0, 0)))
        if state and get_world_size() == 1:  # it is the first process's, and each has its own
            loop.on_arrival = lambda: restore_random_state(state)


@FUNCTIONS.register_module()
def init_worker(worker_id: int) -> None:
    """Seed a loader's worker from the number that torch drew for it when the epoch began.

    Slurm sends its SIGTERM to workers too. They heed their parent's alone, so that the process that
    trains can finish its step and save, and then end them.

    Args:
        worker_id: Its number, which torch's seed already contains.
    """
    if hasattr(signal, 'sigwaitinfo'):  # Linux, where signals say who sent them
        _heed_the_parent_s_sigterm_alone()
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)


def _heed_the_parent_s_sigterm_alone() -> None:
    parent = os.getppid()

    def wait() -> None:
        while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
            pass
        os._exit(0)

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=wait, daemon=True).start()


def random_state() -> dict[str, Any]:
    """The state of Python's, numpy's and torch's generators, as tensors and plain values.

    Example:
        >>> state = random_state()
        >>> first = torch.rand(1)
        >>> restore_random_state(state)
        >>> torch.equal(first, torch.rand(1))
        True
    """
    name, keys, position, has_gauss, gauss = np.random.get_state()
    version, numbers, gauss_next = random.getstate()
    return {
        'python': [version, torch.tensor(numbers, dtype=torch.int64), gauss_next],
        'numpy': [name, torch.tensor(keys.astype(np.int64)), position, has_gauss, gauss],
        'torch': torch.get_rng_state(),
        'cuda': torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Bring the generators to a state of :func:`random_state`.

    Args:
        state: CUDA's part is left out where the number of devices differs.
    """
    version, numbers, gauss_next = state['python']
    random.setstate((version, tuple(numbers.tolist()), gauss_next))
    name, keys, position, has_gauss, gauss = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state['torch'].cpu())
    if state['cuda'] and len(state['cuda']) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([s.cpu() for s in state['cuda']])
