"""Training in mixed precision: 16-bit floats on a GPU, bfloat16 on a CPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import autocast
from torch import nn

from ..utils.findings import Finding, error, ok, warning

#: oneDNN computes in bfloat16 with any of these instructions; without them it converts.
BFLOAT16_INSTRUCTIONS = ('avx512_bf16', 'amx_bf16', 'bf16')


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """mmengine's wrapper with the forward pass in bfloat16, which needs no scaling of the loss.

    mmengine's ``AmpOptimWrapper`` works on accelerators only. bfloat16 has the range of 32-bit
    floats and 8 bits of precision; weights, their gradients and the optimizer stay at 32 bits.

    Args:
        **kwargs: As in ``mmengine.optim.OptimWrapper``.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> wrapper = BFloat16OptimWrapper(optimizer=torch.optim.SGD(layer.parameters(), lr=0.1))
        >>> with wrapper.optim_context(layer):
        ...     layer(torch.ones(1, 2)).dtype
        torch.bfloat16
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The context of a step's forward pass.

        Args:
            model: That is trained.
        """
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield


def enable_amp(cfg: Config) -> None:
    """Train in mixed precision.

    Args:
        cfg: Is changed.
    """
    if get_device() == 'cpu':
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
        for name in ('loss_scale', 'dtype', 'use_fsdp'):  # where the config was made for a GPU
            cfg.optim_wrapper.pop(name, None)
    else:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.loss_scale = 'dynamic'


def check_amp(cfg: Config) -> Iterable[Finding]:
    """Report the precision of a training, and refuse one that the device does not support.

    Args:
        cfg: Of the run.

    Yields:
        None where it trains in 32 bits.
    """
    wrapper = cfg.get('optim_wrapper', {}).get('type')
    if torch.cuda.is_available():
        if wrapper == 'BFloat16OptimWrapper' and not torch.cuda.is_bf16_supported():
            yield error('device', 'this GPU has no bfloat16; --amp selects a supported precision')
    elif wrapper == 'AmpOptimWrapper':
        yield error(
            'device',
            "mmengine's AmpOptimWrapper needs a GPU, and torch sees none. --amp selects "
            'BFloat16OptimWrapper on a CPU',
        )
    elif wrapper == 'BFloat16OptimWrapper' and not processor_has_bfloat16():
        yield warning(
            'device',
            'this processor has no instructions for bfloat16: --amp is slower than 32 bits here',
        )
    elif wrapper == 'BFloat16OptimWrapper':
        yield ok('device', 'mixed precision in bfloat16')


def processor_has_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; without them it is slower."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in BFLOAT16_INSTRUCTIONS)
