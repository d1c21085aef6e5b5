"""Whether PyTorch records the current call."""

from __future__ import annotations

import torch


def is_traced() -> bool:
    """Whether the current call is traced, compiled or exported by PyTorch.

    Code whose result depends on tensor values, or on the device at hand, must not be recorded.

    Example:
        >>> is_traced()
        False
        >>> states = []
        >>> _ = torch.jit.trace(lambda x: states.append(is_traced()) or x + 1, torch.zeros(1))
        >>> states[0]
        True
    """
    return torch.jit.is_tracing() or torch.compiler.is_compiling() or torch.compiler.is_exporting()
