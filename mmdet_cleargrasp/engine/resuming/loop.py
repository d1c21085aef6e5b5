"""A training loop that can resume in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Callable

from mmdet.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's loop over epochs, that resumes where a checkpoint within an epoch was written.

    mmengine would repeat the whole epoch. Here the batches that were trained on are skipped; they
    are loaded again, which takes a fraction of the time of training on them. A run that resumes
    with another number of batches, as on another number of GPUs, repeats the epoch.

    Attributes:
        resumed_at: Batches of the epoch that were trained on, and all of them,
            when the checkpoint was written.
        on_arrival: Called once those batches are skipped.
    """

    resumed_at: tuple[int, int] = (0, 0)
    on_arrival: Callable[[], object] = staticmethod(lambda: None)

    def run_epoch(self) -> None:
        """Train on the remaining batches of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        batches = enumerate(self.dataloader)
        (done, of), self.resumed_at = self.resumed_at, (0, 0)
        if done and of == len(self.dataloader):
            for _ in range(done):
                next(batches)
            # Before the next batch is fetched, which without workers draws random numbers here.
            self.on_arrival()
        for idx, data_batch in batches:
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
