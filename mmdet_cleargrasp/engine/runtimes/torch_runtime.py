"""torch in bfloat16: networks under autocast, outputs in float32."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def compile_network(
    network: nn.Module, example: Tensor, bfloat16: bool
) -> Callable[[Tensor], list[Tensor]]:
    """Compute a network in torch.

    Args:
        network: Returns tensors.
        example: An input; only its device counts.
        bfloat16: Compute convolutions and matrix products in bfloat16.
    """
    device = example.device.type
    forward = network.forward  # the model's own is replaced later

    def run(images: Tensor) -> list[Tensor]:
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            return [output.float() for output in forward(images)]

    return run
