"""Batch norm folded into the preceding convolutions, for faster inference."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ..convolution import FrozenConv2d
from ..tracing import is_traced
from .base import Backbone


class FoldedCopy:
    """A copy of a backbone with folded batch norm, which computes the same maps faster.

    In evaluation mode batch norm is a scale and a shift per channel, which can be folded into the
    weights of the preceding convolution; values are the same up to rounding. On a CPU the copy also
    uses the channels-last memory format, which oneDNN prefers, and :class:`.FrozenConv2d`. The
    backbone itself is not changed, so its state dict keeps the published layout.

    The copy is made at the first call, and again after a tensor of the backbone was replaced or
    modified in place. If folding would change the maps, because modules are not registered in the
    order of computation (as in some of timm's networks), batch norm is not folded.

    Example:
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> backbone, image = ClearGraspResNet(18, frozen=False).eval(), torch.rand(1, 3, 64, 64)
        >>> with torch.no_grad():
        ...     folded, plain = FoldedCopy()(backbone, image), backbone.forward_features(image)
        >>> all(torch.allclose(a, b, atol=1e-5) for a, b in zip(folded, plain))
        True
    """

    def __init__(self) -> None:
        self._module: Backbone | None = None
        self._versions: tuple[tuple[int, int], ...] = ()

    def __call__(self, backbone: Backbone, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the backbone's maps in evaluation mode, without autograd.

        Args:
            backbone: Backbone that is copied; every call of one ``FoldedCopy`` passes the same one.
            x: Normalized images, (N, 3, H, W), float.

        Returns:
            The maps of ``backbone.forward_features(x)``, equal up to rounding.
        """
        if is_traced():  # a traced or exported network has to refer to the backbone's own weights
            return backbone.forward_features(x)
        versions = tuple((t.data_ptr(), t._version) for t in _tensors(backbone))
        if self._module is None or versions != self._versions:
            self._module, self._versions = _fastest(backbone, x[:1].detach()), versions
        if x.device.type == 'cpu':
            x = x.contiguous(memory_format=torch.channels_last)
        return self._module.forward_features(x)

    def __deepcopy__(self, memo: dict) -> FoldedCopy:
        return FoldedCopy()  # a copy of the backbone makes its own folded copy

    def __reduce__(self) -> tuple:
        return FoldedCopy, ()

    def discard(self) -> None:
        """Discard the copy, so that the next call makes it again."""
        self._module = None


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())


def _fastest(backbone: Backbone, image: Tensor) -> Backbone:
    """A copy of the backbone, folded if its maps of the image stay the same."""
    plain = copy.deepcopy(backbone).eval()
    folded = copy.deepcopy(plain)
    _fold(folded)
    weight = next(folded.parameters())
    with torch.autocast(weight.device.type, enabled=False):
        image = image.to(weight.dtype)
        same = _same_maps(plain.forward_features(image), folded.forward_features(image))
    module = folded if same else plain
    if weight.device.type != 'cpu':
        return module
    _use_frozen_convolutions(module)
    return module.to(memory_format=torch.channels_last)


def _use_frozen_convolutions(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Conv2d:
            setattr(module, name, FrozenConv2d(child))
        else:
            _use_frozen_convolutions(child)


def _same_maps(maps: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> bool:
    # TF32 on a GPU rounds to 10 bits; folding into a wrong convolution changes maps far more.
    tolerance = max(1e-2, 30 * torch.finfo(maps[0].dtype).eps)
    return all(
        bool((a - b).abs().max() <= tolerance * a.abs().max())
        for a, b in zip(maps, others, strict=True)
    )


def _fold(module: nn.Module) -> None:
    """Fold each batch norm into the convolution registered before it in the same module."""
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
