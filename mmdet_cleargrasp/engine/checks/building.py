"""Building a module to look at it, without memory for its weights."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import MODELS
from torch import nn

from ...utils.errors import ConfigError


def build(subject: str, cfg: dict[str, Any]) -> nn.Module:
    """Build a module without memory for its weights, where it can be built so.

    Args:
        subject: What it is, for the message.
        cfg: Of the module.

    Raises:
        ConfigError: It cannot be built.
    """
    try:
        with torch.device('meta'):
            return MODELS.build(cfg)
    except RuntimeError:  # some read values while they are built
        return MODELS.build(cfg)
    except (ValueError, TypeError, KeyError, AssertionError) as reason:
        text = str(reason).strip('"\'')
        raise ConfigError(f'the {subject} cannot be built: {text}') from reason
