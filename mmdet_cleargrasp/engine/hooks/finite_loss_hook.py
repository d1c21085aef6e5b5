"""Stopping at a NaN or infinite loss, before it is saved."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...utils.errors import TrainingError


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop at the first loss that is NaN or infinite.

    Raises:
        TrainingError: With the step, the losses concerned, the images of the batch, and what to
            try. The checkpoints written before are good.
    """

    priority = 'VERY_HIGH'

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Check the step's losses."""
        if outputs is None or torch.isfinite(torch.as_tensor(outputs['loss'])).all():
            return
        wrong = [
            name
            for name, value in outputs.items()
            if 'loss' in name and not torch.isfinite(torch.as_tensor(value)).all()
        ]
        rate = runner.optim_wrapper.get_lr()['lr'][0]
        raise TrainingError(
            f'NaN or infinite loss in epoch {runner.epoch + 1}, step {batch_idx + 1} '
            f'({", ".join(wrong)}; learning rate {rate:.2g}; images {_images(data_batch)}). '
            f'Nothing of this step was saved: the checkpoints in {runner.work_dir} are older. '
            '--resume would repeat it: start a new run from the last of them, --cfg-options '
            'load_from=CHECKPOINT optim_wrapper.optimizer.lr=LOWER, or look at these images and '
            'their boxes.'
        )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse to save weights that a last step, of a finite loss, made NaN or infinite."""
        ruined = [
            name
            for name, tensor in checkpoint['state_dict'].items()
            if not torch.isfinite(tensor).all()
        ]
        if ruined:
            raise TrainingError(
                f'{len(ruined)} tensors of the model are NaN or infinite after step '
                f'{runner.iter} (first: {ruined[0]}); not saved. Start a new run from an earlier '
                f'checkpoint in {runner.work_dir}, --cfg-options load_from=CHECKPOINT '
                'optim_wrapper.optimizer.lr=LOWER'
            )


def _images(batch: dict[str, Any] | None) -> str:
    samples = (batch or {}).get('data_samples') or []
    names = [getattr(sample, 'img_path', '?') for sample in samples]
    return ', '.join(str(name) for name in names or (batch or {}).get('path', ['unknown']))
