"""Leaving in good order when the machine is wanted back."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.dist import all_reduce, barrier, is_distributed, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...utils.atomic_files import write_atomically

#: The checkpoint of a run that was told to stop, and the exit status it leaves with: that of
#: a process that SIGTERM ended.
CHECKPOINT_FILE = 'interrupted.pth'
EXIT_STATUS = 143


@HOOKS.register_module()
class InterruptHook(Hook):
    """On SIGTERM, as Slurm sends it before a job's time is over, save and exit.

    The step in progress is finished, ``interrupted.pth`` written, and ``--resume`` goes on with the
    next step.
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self._told = False
        self._before: Any = None

    def before_train(self, runner: Runner) -> None:
        """Listen."""
        self._before = signal.signal(signal.SIGTERM, self._listen)

    def after_train(self, runner: Runner) -> None:
        """Listen no more."""
        signal.signal(signal.SIGTERM, self._before)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Save and exit, if any process of the run was told to."""
        if not self._any_process_told():
            return
        meta = dict(batches=(batch_idx + 1, len(runner.train_dataloader)))
        runner.save_checkpoint(runner.work_dir, CHECKPOINT_FILE, by_epoch=False, meta=meta)
        if is_main_process():
            path = Path(runner.work_dir) / CHECKPOINT_FILE
            write_atomically(Path(runner.work_dir) / 'last_checkpoint', str(path).encode())
            print(
                f'\nstopped by SIGTERM after step {runner.iter + 1}; saved {path}. '
                'The same command with --resume goes on.',
                file=sys.stderr,
            )
        barrier()  # a launcher kills all processes when the first one leaves
        sys.exit(EXIT_STATUS)

    def _listen(self, number: int, frame: FrameType | None) -> None:
        self._told = True

    def _any_process_told(self) -> bool:
        if not is_distributed():
            return self._told
        told = torch.tensor(int(self._told))
        all_reduce(told, op='max')
        return bool(told)
