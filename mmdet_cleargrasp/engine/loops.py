"""The training loop, which can go on in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Callable

from mmdet.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's loop over epochs, that goes on where a checkpoint within an epoch was written.

    mmengine would run through the whole epoch once more. Here the batches that were trained on are
    passed over; they are loaded again, which takes a fraction of training on them.

    Attributes:
        on_arrival (Callable[[], object]): called before the first batch that is trained on after
            some were passed over.
    """

    on_arrival: Callable[[], object] = staticmethod(lambda: None)

    def run_epoch(self) -> None:
        """Train on the batches of an epoch that are still to come."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        steps = len(self.dataloader)
        # A run that goes on with other batches than it began with starts the epoch anew.
        done = max(0, self._iter - self._epoch * steps)
        done = done if done < steps else 0
        for idx, data_batch in enumerate(self.dataloader):
            if idx < done:
                continue
            if idx == done > 0:
                self.on_arrival()
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
