"""Batch norm folded into the convolutions before it, for networks that only compute."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ..convolution import is_pointwise
from ..winograd import has_onednn

if TYPE_CHECKING:
    from .frozen import FreezableBackbone


class FoldedTwin:
    """A copy of a backbone, made when it is first needed, that computes the same maps faster.

    Batch norm on its running statistics is a scale and a shift, which the convolution before it can
    apply by itself: the same values up to rounding. On a CPU the twin also keeps its tensors
    channels-last, in which oneDNN computes. The backbone's own weights stay as they are, so that
    checkpoints keep the published layout.

    The twin follows the backbone: it is rebuilt once a weight was written to or replaced. Where
    folding would change the maps, because the modules do not stand in the order of computation (as
    in some of timm's networks), the twin is a plain copy.

    Example:
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> backbone, image = ClearGraspResNet(18, frozen=False).eval(), torch.rand(1, 3, 64, 64)
        >>> with torch.no_grad():
        ...     folded, plain = FoldedTwin()(backbone, image), backbone.forward_features(image)
        >>> all(torch.allclose(a, b, atol=1e-5) for a, b in zip(folded, plain))
        True
    """

    def __init__(self) -> None:
        self._module: FreezableBackbone | None = None
        self._versions: tuple[tuple[int, int], ...] = ()

    def __call__(self, backbone: FreezableBackbone, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the backbone's maps; not for autograd, nor for batch norm in training.

        Args:
            backbone: Whose weights and ``forward_features`` are used.
            x: Normalized images, (N, 3, H, W), float.

        Returns:
            What ``backbone.forward_features(x)`` returns, up to rounding.
        """
        if torch.jit.is_tracing() or torch.compiler.is_compiling() or torch.compiler.is_exporting():
            return backbone.forward_features(x)  # a traced network holds its own weights
        versions = tuple((t.data_ptr(), t._version) for t in _tensors(backbone))
        if self._module is None or versions != self._versions:
            self._module, self._versions = _fastest(backbone, x[:1].detach()), versions
        if x.device.type == 'cpu':
            # In training only: predictions keep the rounding of torch's choice.
            _use_onednn(self._module, backbone.training and has_onednn())
            x = x.contiguous(memory_format=torch.channels_last)
        return self._module.forward_features(x)

    def __deepcopy__(self, memo: dict) -> FoldedTwin:
        return FoldedTwin()  # the copy of a backbone makes its own

    def __reduce__(self) -> tuple:
        return FoldedTwin, ()

    def forget(self) -> None:
        """Make the twin again when it is needed next, whatever happened to the weights."""
        self._module = None


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())


def _fastest(backbone: FreezableBackbone, image: Tensor) -> FreezableBackbone:
    """A folded copy of the backbone where its maps of an image are the same, else a plain one."""
    plain = copy.deepcopy(backbone).eval()
    folded = copy.deepcopy(plain)
    _fold(folded)
    weight = next(folded.parameters())
    with torch.autocast(weight.device.type, enabled=False):
        image = image.to(weight.dtype)
        same = _same_maps(plain.forward_features(image), folded.forward_features(image))
    module = folded if same else plain
    on_cpu = weight.device.type == 'cpu'
    return module.to(memory_format=torch.channels_last) if on_cpu else module


def _use_onednn(module: nn.Module, use: bool) -> None:
    """Let oneDNN compute 1x1 convolutions on one thread too; see :func:`is_pointwise`."""
    for conv in module.modules():
        if isinstance(conv, nn.Conv2d) and is_pointwise(conv):
            conv.dilation = (2, 2) if use else (1, 1)


def _same_maps(maps: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> bool:
    # A GPU rounds to ten bits (TF32); a fold in the wrong place changes everything.
    tolerance = max(1e-2, 30 * torch.finfo(maps[0].dtype).eps)
    return all(
        bool((a - b).abs().max() <= tolerance * a.abs().max())
        for a, b in zip(maps, others, strict=True)
    )


def _fold(module: nn.Module) -> None:
    """Fold each batch norm into the convolution that stands before it in the same module."""
    conv = None
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            conv = child
        elif isinstance(child, _BatchNorm) and conv is not None:
            # a batch norm without running statistics cannot be frozen
            assert child.running_mean is not None and child.running_var is not None
            conv.weight, conv.bias = fuse_conv_bn_weights(
                conv.weight, conv.bias, child.running_mean, child.running_var, child.eps,
                child.weight, child.bias,
            )  # fmt: skip
            # timm's batch norms apply the activation as well
            module.add_module(name, getattr(child, 'act', nn.Identity()))
            conv = None
        else:
            _fold(child)
