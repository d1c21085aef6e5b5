"""A convolution layer that selects the fastest algorithm on a CPU."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from . import winograd
from .tracing import is_traced


@MODELS.register_module()
class FastConv2d(nn.Conv2d):
    """``nn.Conv2d`` with faster training on a CPU and the same values up to rounding.

    In training mode, 3x3 convolutions of large maps use Winograd's algorithm (:mod:`.winograd`),
    and 1x1 convolutions use oneDNN even on one thread. In evaluation mode, on other devices and in
    other precisions it computes what ``nn.Conv2d`` does. Necks and heads of MMDetection use it
    with ``conv_cfg=dict(type='FastConv2d')``.

    Args:
        *args: Arguments of ``nn.Conv2d``.
        **kwargs: Keyword arguments of ``nn.Conv2d``.

    Example:
        >>> import torch
        >>> from mmcv.cnn import ConvModule
        >>> layer = ConvModule(16, 4, 1, conv_cfg=dict(type='FastConv2d'), act_cfg=None).conv
        >>> layer
        FastConv2d(16, 4, kernel_size=(1, 1), stride=(1, 1))
        >>> x = torch.rand(1, 16, 8, 8)
        >>> torch.allclose(layer(x), nn.Conv2d.forward(layer, x), atol=1e-6)
        True
    """

    def forward(self, x: Tensor) -> Tensor:
        """Compute the convolution.

        Args:
            x: Input, (N, in_channels, H, W).

        Returns:
            The output of ``nn.Conv2d``, (N, out_channels, H', W'), equal up to rounding.
        """
        if not self.training or self.padding_mode != 'zeros' or self.groups != 1 or is_traced():
            return super().forward(x)
        if is_pointwise(self) and x.device.type == 'cpu' and winograd.has_onednn():
            return F.conv2d(x, self.weight, self.bias, self.stride, dilation=2)  # see is_pointwise
        if is_plain_3x3(self):
            return winograd.convolve(x, self.weight, self.bias)
        return super().forward(x)


def is_pointwise(conv: nn.Conv2d) -> bool:
    """Whether a convolution has a 1x1 kernel and no padding.

    A dilation does not change its result but has PyTorch use oneDNN on a single thread too. Without
    one PyTorch uses matrix products, which take twice as long where MKL is slow, as on AMD CPUs.

    Args:
        conv: The layer.

    Example:
        >>> is_pointwise(nn.Conv2d(8, 4, 1)), is_pointwise(nn.Conv2d(8, 4, 3))
        (True, False)
    """
    return conv.kernel_size == (1, 1) and conv.padding == (0, 0)


def is_plain_3x3(conv: nn.Conv2d) -> bool:
    """Whether a convolution is 3x3 with padding 1, stride 1 and dilation 1.

    Args:
        conv: The layer.

    Example:
        >>> is_plain_3x3(nn.Conv2d(8, 4, 3, padding=1)), is_plain_3x3(nn.Conv2d(8, 4, 3, stride=2))
        (True, False)
    """
    shape = (conv.kernel_size, conv.padding, conv.stride, conv.dilation)
    return shape == ((3, 3), (1, 1), (1, 1), (1, 1))
