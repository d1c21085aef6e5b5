"""Building a module to look at it, without memory for its weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ...utils.errors import ConfigError

#: Functions that fill a tensor with random values.
RANDOM = frozenset(
    {
        Tensor.normal_,
        Tensor.uniform_,
        nn.init.normal_,
        nn.init.trunc_normal_,
        nn.init.uniform_,
    }
)


def build(subject: str, cfg: dict[str, Any]) -> nn.Module:
    """Build a module without memory for its weights, where it can be built so.

    Args:
        subject: What it is, for the message.
        cfg: Of the module.

    Raises:
        ConfigError: It cannot be built.
    """
    try:
        with torch.device('meta'), _WithoutInitialization():
            return MODELS.build(cfg)
    except RuntimeError:  # some read values while they are built
        return MODELS.build(cfg)
    except (ValueError, TypeError, KeyError, AssertionError) as reason:
        text = str(reason).strip('"\'')
        raise ConfigError(f'the {subject} cannot be built: {text}') from reason


class _WithoutInitialization(TorchFunctionMode):
    """Skips random initialization, for tensors without values.

    On them, torch would import torch.compile for ``normal_``, which takes a second.
    """

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in RANDOM:
            tensor = args[0] if args else kwargs['tensor']
            if tensor.is_meta:
                return tensor
        return func(*args, **kwargs)
