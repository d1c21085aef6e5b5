"""Random numbers that an interruption does not change."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import Any, cast

import numpy as np
import torch
from mmdet.registry import HOOKS
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner

from .loop import ResumableTrainLoop


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Draw every epoch's random numbers from the seed and the epoch's number.

    mmengine seeds once, when a run starts: a resumed run repeats the first epoch's numbers, and
    the generators of workers that live on cannot be restored. Here an epoch draws the same numbers
    whether the run started with it or not. A run that resumes within an epoch takes the generators'
    state from the checkpoint that :class:`.InterruptHook` wrote. With worker processes the loader
    needs ``persistent_workers=False`` and ``worker_init_fn=dict(type='init_worker')``.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process, and through it the workers that are about to start."""
        sequence = np.random.SeedSequence([runner.seed, get_rank(), runner.epoch])
        seed = int(sequence.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)  # CUDA's generators too

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Set the step and the random states from which the loop resumes."""
        # Not runner.train_loop, which would build a loop, and its data, for a mere test.
        loop, meta = vars(runner)['_train_loop'], checkpoint.get('meta', {})
        if not runner._resume or not isinstance(loop, ResumableTrainLoop):
            return
        loop.resumed_at = tuple(meta.get('batches', (0, 0)))
        states = meta.get('random_states', [])
        if len(states) == get_world_size():
            state = states[get_rank()]
            loop.on_arrival = lambda: restore_random_state(state)


@FUNCTIONS.register_module()
def init_worker(worker_id: int) -> None:
    """Seed a loader's worker from the number that torch drew for it when the epoch began.

    Slurm sends its signals to workers too, and a terminal Ctrl-C. They ignore SIGTERM unless their
    parent sent it, and the others, so that the process that trains can finish its step, save, and
    then end them.

    Args:
        worker_id: Its number, which torch's seed already contains.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # Linux, where signals say who sent them
        _ignore_sigterm_of_others()
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)


def _ignore_sigterm_of_others() -> None:
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
    # a dict only with legacy=False, which the stubs leave open
    name, keys, position, has_gauss, gauss = cast(tuple[Any, ...], np.random.get_state())
    version, numbers, gauss_next = random.getstate()
    return {
        'python': [version, torch.tensor(numbers, dtype=torch.int64), gauss_next],
        'numpy': [name, torch.tensor(keys.astype(np.int64)), position, has_gauss, gauss],
        'torch': torch.get_rng_state(),
        'cuda': torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Restore the generators to a state of :func:`random_state`.

    Args:
        state: The state of the current GPU's generator is ignored where there is no GPU now.
    """
    version, numbers, gauss_next = state['python']
    random.setstate((version, tuple(numbers.tolist()), gauss_next))
    name, keys, position, has_gauss, gauss = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state['torch'].cpu())
    if state['cuda'] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
