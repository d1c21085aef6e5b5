"""Signal handlers that save a checkpoint and stop the run."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import all_gather_object, barrier, is_distributed, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.distributed import Store
from torch.distributed.distributed_c10d import _get_default_store

from ...utils.atomic_files import write_atomically
from ...utils.errors import Terminated
from .checkpoints import last_saved_checkpoint
from .random_state import random_state

#: The checkpoint of a run that was told to stop.
CHECKPOINT_FILE = 'interrupted.pth'
#: What each signal ends the command with: Ctrl-C, Slurm's own, and those that ``--signal`` and
#: submitit name.
SIGNALS: dict[signal.Signals, type[KeyboardInterrupt]] = {signal.SIGINT: KeyboardInterrupt} | {
    getattr(signal, name): Terminated
    for name in ('SIGTERM', 'SIGUSR1', 'SIGUSR2')
    if hasattr(signal, name)
}
#: Under which processes agree on the step after which they stop.
STOP_KEY = 'mmdet_cleargrasp/stop_after_step'


@HOOKS.register_module()
class InterruptHook(Hook):
    """On SIGTERM, SIGUSR1, SIGUSR2, as Slurm sends before a time limit, and Ctrl-C, save and exit.

    The step in progress is finished and ``interrupted.pth`` written, with the position in the epoch
    and the state of each process's random generators; ``--resume`` continues with the next step.
    During a validation, whose epoch has been saved, and at a second Ctrl-C, the run ends at once.

    Several processes have to stop after the same step, whichever of them got the signal. The first
    one writes that step into the key-value store that torch's process group has anyway, and the
    others look there after each step. They need not wait for each other: the step is one that none
    of them can have finished, since they exchange their gradients in it.
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self._told: signal.Signals | None = None
        self._last_signal: int | None = None
        self._validating = False
        self._stop_after: int | None = None
        self._store: Store | None = None

    def before_train(self, runner: Runner) -> None:
        """Install the signal handlers; :func:`.training.run` restores the previous ones."""
        for number in SIGNALS:
            signal.signal(number, self._handle)
        self._store = _get_default_store() if is_distributed() else None

    def before_val(self, runner: Runner) -> None:
        """Stop at once from now on if the epoch is saved."""
        latest = last_saved_checkpoint(Path(runner.work_dir))
        self._validating = latest is not None and latest.name == f'epoch_{runner.epoch}.pth'
        if self._validating and self._told is not None and not is_distributed():
            raise SIGNALS[self._told]

    def after_val(self, runner: Runner) -> None:
        """Finish the step in progress again before stopping."""
        self._validating = False

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Save and exit, if any process of the run was told to."""
        step = runner.iter + 1
        # Gradients that are accumulated are exchanged in every so many steps only.
        exchanged_every = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if self._step_to_stop_after(step, exchanged_every) == step:
            self._save_and_exit(runner, batch_idx)

    def _step_to_stop_after(self, step: int, exchanged_every: int) -> int | None:
        if self._store is None:
            return step if self._told is not None else None
        if self._stop_after is None and (self._told is not None or self._store.check([STOP_KEY])):
            # Only the first process that proposes a step sets it.
            found = self._store.compare_set(STOP_KEY, '', str(step + exchanged_every))
            self._stop_after = int(found)
        return self._stop_after

    def _save_and_exit(self, runner: Runner, batch_idx: int) -> None:
        meta = dict(
            batches=(batch_idx + 1, len(runner.train_dataloader)),
            random_states=all_gather_object(random_state()),
        )
        runner.save_checkpoint(runner.work_dir, CHECKPOINT_FILE, by_epoch=False, meta=meta)
        if is_main_process():
            path = Path(runner.work_dir) / CHECKPOINT_FILE
            write_atomically(Path(runner.work_dir) / 'last_checkpoint', str(path).encode())
            print(
                f'\nstopped by {self._told.name if self._told else "another process"} after step '
                f'{runner.iter + 1}; saved {path}. '
                'The same command with --resume continues.',
                file=sys.stderr,
            )
        barrier()  # a launcher ends all processes when the first one exits
        raise SIGNALS[self._told or signal.SIGTERM]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again, self._last_signal = self._last_signal == number == signal.SIGINT, number
        self._told = self._told or signal.Signals(number)  # Slurm sends several; the first counts
        if again or (self._validating and not is_distributed()):
            raise SIGNALS[self._told]
