"""Batch norm folded into the convolutions before it, for networks that only compute."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn

if TYPE_CHECKING:
    from .frozen import FreezableBackbone


class FoldedTwin:
    """A copy of a backbone, made when it is first needed, that computes the same maps faster.

    Batch norm on its running statistics is a scale and a shift, which the convolution before it can
    apply by itself: the same values up to rounding. On a CPU the twin also keeps its tensors
    channels-last, in which oneDNN computes. The backbone's own weights stay as they are, so that
    checkpoints keep the published layout.

    The twin follows the backbone: it is made anew once a weight was written to or replaced.

    Example:
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> backbone, image = ClearGraspResNet(18, frozen=False).eval(), torch.rand(1, 3, 64, 64)
        >>> with torch.no_grad():
        ...     folded, plain = FoldedTwin()(backbone, image), backbone.forward_features(image)
        >>> all(torch.allclose(a, b, atol=1e-5) for a, b in zip(folded, plain))
        True
    """

    def __init__(self) -> None:
        self._module: nn.Module | None = None
        self._versions: tuple[tuple[int, int], ...] = ()

    def __call__(self, backbone: FreezableBackbone, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the backbone's maps; not for autograd, nor for batch norm in training.

        Args:
            backbone: Whose weights and ``forward_features`` are used.
            x: Normalized images, (N, 3, H, W), float.

        Returns:
            What ``backbone.forward_features(x)`` returns, up to rounding.
        """
        if torch.jit.is_tracing():
            return backbone.forward_features(x)  # an exported network holds its own weights
        versions = tuple((t.data_ptr(), t._version) for t in _tensors(backbone))
        if self._module is None or versions != self._versions:
            self._module, self._versions = _folded(backbone), versions
        if x.device.type == 'cpu':
            x = x.contiguous(memory_format=torch.channels_last)
        return self._module.forward_features(x)

    def __deepcopy__(self, memo: dict) -> FoldedTwin:
        return FoldedTwin()  # the copy of a backbone makes its own

    def __reduce__(self) -> tuple:
        return FoldedTwin, ()

    def forget(self) -> None:
        """Make the twin anew when it is needed next, whatever happened to the weights."""
        self._module = None


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())


def _folded(backbone: FreezableBackbone) -> nn.Module:
    original = copy.copy(backbone)  # shares the modules, but not what stands in for a method
    original.__dict__.pop('forward', None)
    folded = fuse_conv_bn(copy.deepcopy(original)).eval()
    on_cpu = next(folded.parameters()).device.type == 'cpu'
    return folded.to(memory_format=torch.channels_last) if on_cpu else folded
