"""A convolution layer that chooses the fastest algorithm on a CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from . import winograd


@MODELS.register_module()
class FastConv2d(nn.Conv2d):
    """``nn.Conv2d`` that takes less time on a CPU, with the same values up to rounding.

    In training, 3x3 convolutions of large maps are computed by Winograd's algorithm
    (:mod:`.winograd`), and 1x1 convolutions by oneDNN even on one thread. In prediction, on other
    devices and in other precisions it is ``nn.Conv2d``. For ``conv_cfg`` of MMDetection's necks
    and heads.

    Args:
        *args: As in ``nn.Conv2d``.
        **kwargs: Likewise.

    Example:
        >>> layer, x = FastConv2d(16, 4, 1), torch.rand(1, 16, 8, 8)
        >>> torch.allclose(layer(x), nn.Conv2d.forward(layer, x), atol=1e-6)
        True
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: (N, in_channels, H, W).
        """
        if not self.training or self.padding_mode != 'zeros' or self.groups != 1 or _is_exported():
            return super().forward(x)
        if is_pointwise(self) and x.device.type == 'cpu' and winograd.has_onednn():
            return F.conv2d(x, self.weight, self.bias, self.stride, dilation=2)
        if is_plain_3x3(self):
            return winograd.convolve(x, self.weight, self.bias)
        return super().forward(x)


def is_pointwise(conv: nn.Conv2d) -> bool:
    """Whether a convolution looks at single positions.

    With a dilation, which changes nothing then, torch leaves it to oneDNN on one thread too;
    otherwise to matrix products, which take twice as long where MKL is slow, as on AMD.
    """
    return conv.kernel_size == (1, 1) and conv.padding == (0, 0)


def is_plain_3x3(conv: nn.Conv2d) -> bool:
    """Whether a convolution is 3x3 with padding 1, and neither strided nor dilated."""
    shape = (conv.kernel_size, conv.padding, conv.stride, conv.dilation)
    return shape == ((3, 3), (1, 1), (1, 1), (1, 1))


def _is_exported() -> bool:
    return torch.jit.is_tracing() or torch.compiler.is_compiling() or torch.compiler.is_exporting()
