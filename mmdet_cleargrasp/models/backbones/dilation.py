"""Dilation of the 3x3 convolutions of a block."""

from __future__ import annotations

from torch import nn


def set_dilation(block: nn.Module, dilation: int) -> None:
    """Dilate every 3x3 convolution of a block, with the padding that keeps the map's size.

    mmdet's ``BasicBlock`` dilates its first convolution only. Subsampled maps equal the dense ones
    (see :class:`.ClearGraspResNet`) only if all convolutions of the block are dilated.

    Args:
        block: Module that is changed in place.
        dilation: Dilation, and padding, of each 3x3 convolution, 1 or more.

    Example:
        >>> import torch
        >>> conv = nn.Conv2d(4, 4, 3, padding=1)
        >>> set_dilation(conv, 2)
        >>> conv.dilation, conv(torch.rand(1, 4, 9, 9)).shape
        ((2, 2), torch.Size([1, 4, 9, 9]))
    """
    for conv in block.modules():
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3):
            conv.dilation = conv.padding = (dilation, dilation)
