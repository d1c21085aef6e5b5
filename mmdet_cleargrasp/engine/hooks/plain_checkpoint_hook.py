"""Checkpoints that every reader of weights accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Save the log history as tensors, and the metrics as numbers.

    mmengine pickles ``HistoryBuffer`` objects and numpy scalars, which ``torch.load`` refuses by
    default since torch 2.6 (https://github.com/open-mmlab/mmengine/issues/1655). Without them
    ``DetInferencer`` and everything else read a run's checkpoints.
    """

    priority = 'LOWEST'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Replace the objects."""
        for key in ('message_hub', 'meta'):
            checkpoint[key] = to_plain(checkpoint[key])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Bring the log history back, in case the run is resumed."""
        scalars = checkpoint.get('message_hub', {}).get('log_scalars', {})
        for name, history in scalars.items():
            if isinstance(history, dict):
                scalars[name] = HistoryBuffer(
                    history['values'].numpy(), history['counts'].numpy(), history['max_length']
                )


def to_plain(value: Any) -> Any:
    """The same value of tensors, numbers, texts and containers of them.

    Args:
        value: Also with numpy's scalars and arrays, and mmengine's ``HistoryBuffer``, inside.

    Example:
        >>> to_plain({'loss': np.float64(0.5), 'classes': ('plate',)})
        {'loss': 0.5, 'classes': ('plate',)}
    """
    if isinstance(value, HistoryBuffer):
        values, counts = value.data
        return {
            'values': torch.tensor(values),
            'counts': torch.tensor(counts),
            'max_length': value.max_length,
        }
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.tensor(value)
    if isinstance(value, dict):
        return type(value)((key, to_plain(content)) for key, content in value.items())
    if type(value) in (list, tuple):
        return type(value)(to_plain(content) for content in value)
    return value
