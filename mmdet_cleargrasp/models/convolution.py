"""Convolution layers that select the fastest algorithm on a CPU."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from . import winograd
from .tracing import is_traced


@MODELS.register_module()
class FastConv2d(nn.Conv2d):
    """``nn.Conv2d`` in less time on a CPU, with the same values up to rounding.

    In float32, 3x3 convolutions of large maps use Winograd's algorithm (:mod:`.winograd`), and 1x1
    convolutions use oneDNN even on one thread. On other devices and in traced networks it computes
    what ``nn.Conv2d`` does. Necks and heads of MMDetection use it with
    ``conv_cfg=dict(type='FastConv2d')``.

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
        if self.padding_mode != 'zeros' or self.groups != 1 or is_traced():
            return super().forward(x)
        if is_pointwise(self) and x.device.type == 'cpu' and winograd.has_onednn():
            return F.conv2d(x, self.weight, self.bias, self.stride, dilation=2)  # see is_pointwise
        if is_plain_3x3(self):
            return self.convolve_3x3(x)
        return super().forward(x)

    def convolve_3x3(self, x: Tensor) -> Tensor:
        """Compute a 3x3 convolution with stride 1 and padding 1.

        Args:
            x: Input, (N, in_channels, H, W).
        """
        return winograd.convolve(x, self.weight, self.bias)


class FrozenConv2d(FastConv2d):
    """:class:`FastConv2d` with weights that never change and have no gradients.

    The kernels are transformed once, at the first input for which Winograd's algorithm is faster.
    That needs four times the memory of the kernels.

    Args:
        conv: Layer whose weights and arguments it takes.

    Example:
        >>> import torch
        >>> conv, x = nn.Conv2d(128, 128, 3, padding=1), torch.rand(1, 128, 32, 32)
        >>> with torch.no_grad():
        ...     found, expected = FrozenConv2d(conv)(x), conv(x)
        >>> torch.allclose(found, expected, atol=1e-5)
        True
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]  # tuples of two numbers, in all of these
            conv.stride,  # type: ignore[arg-type]
            conv.padding,  # type: ignore[arg-type]
            conv.dilation,  # type: ignore[arg-type]
            conv.groups,
            bias=False,
            padding_mode=conv.padding_mode,
            device='meta',
        )
        self.weight, self.bias = conv.weight, conv.bias
        self._kernels: Tensor | None = None

    def convolve_3x3(self, x: Tensor) -> Tensor:
        """See :class:`FastConv2d`."""
        if not winograd.is_faster(x, self.weight, fixed=True):
            return super().convolve_3x3(x)
        if self._kernels is None:
            self._kernels = winograd.transform_kernels(self.weight.detach())
        return winograd.convolve_fixed(x, self._kernels, self.bias)


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
