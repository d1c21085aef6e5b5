"""Whether a checkpoint's optimizer is the one of the config."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from ...utils.errors import ConfigError

#: Settings that training takes from the checkpoint when it resumes, not from the config.
SETTINGS = ('lr', 'weight_decay', 'momentum', 'betas', 'eps', 'alpha')
#: Hyperparameters that distinguish torch's optimizers.
KINDS = (
    'momentum', 'nesterov', 'betas', 'alpha', 'centered', 'momentum_decay', 'lr_decay',
    'rho', 'etas', 'lambd',
)  # fmt: skip


def check_optimizer(cfg: Config, state: Any, path: str | Path) -> None:
    """Refuse to resume with an optimizer or a learning rate that would silently be the old one.

    mmengine loads the checkpoint's settings over those of the config.

    Args:
        cfg: Of the run.
        state: The checkpoint's optimizer.
        path: Of the checkpoint, for the message.

    Raises:
        ConfigError: Settings that differ, or another optimizer.
    """
    optimizer = cfg.get('optim_wrapper', {}).get('optimizer')
    groups = state.get('param_groups') if isinstance(state, Mapping) else None
    if not groups or not isinstance(optimizer, Mapping):
        return
    scaled = cfg.get('auto_scale_lr', {}).get('enable', False)
    found = [
        f'{key} {max(_value(group, key) for group in groups)} instead of {optimizer[key]}'
        for key in SETTINGS
        if key in optimizer and key in groups[0] and not (key == 'lr' and scaled)
        if not any(_equal(_value(group, key), optimizer[key]) for group in groups)
    ]
    if _is_another(str(optimizer.get('type')), groups[0]):
        found = [f'another optimizer than {optimizer["type"]}']
    if found:
        raise ConfigError(
            f'{path} was trained with {", ".join(found)}. --resume would continue with that: set '
            'the config back, or start a new run from these weights with --cfg-options '
            f'load_from={path} and another --work-dir.'
        )


def _is_another(name: str, group: Mapping[str, Any]) -> bool:
    """Whether a checkpoint's settings are those of another optimizer of torch."""
    kind = getattr(torch.optim, name, None)
    if kind is None:
        return False
    with contextlib.suppress(TypeError, ValueError):  # some have arguments without a default
        settings = kind([torch.zeros(1, requires_grad=True)]).defaults
        # AdamW is Adam but for this.
        decoupled = 'decoupled_weight_decay'
        same_decay = settings.get(decoupled) == group.get(decoupled, settings.get(decoupled))
        return not same_decay or any((key in settings) != (key in group) for key in KINDS)
    return False


def _value(group: Mapping[str, Any], key: str) -> Any:
    return group.get('initial_lr', group.get('lr')) if key == 'lr' else group.get(key)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6)
    return bool(one == other)
