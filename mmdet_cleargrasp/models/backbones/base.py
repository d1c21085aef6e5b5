"""The interface of this plugin's backbones."""

from __future__ import annotations

from collections.abc import Mapping

from mmengine.model import BaseModule
from torch import Tensor


class Backbone(BaseModule):
    """A network that returns a tuple of feature maps and publishes their channels and strides.

    Attributes:
        out_channels: Number of channels of each returned map.
        out_strides: Stride of each returned map, in input pixels.
        unused_tensors: Prefixes of tensor names that published checkpoints contain and this
            backbone does not use, such as a classifier's.

    Example:
        >>> import torch
        >>> class Halved(Backbone):
        ...     out_channels, out_strides = (3,), (2,)
        ...
        ...     def forward_features(self, x):
        ...         return (x[..., ::2, ::2],)
        >>> [tuple(level.shape) for level in Halved().forward_features(torch.rand(1, 3, 8, 6))]
        [(1, 3, 4, 3)]
    """

    out_channels: tuple[int, ...]
    out_strides: tuple[int, ...]
    unused_tensors: tuple[str, ...] = ()

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps; subclasses implement it.

        Args:
            x: Normalized images, (N, 3, H, W), float.

        Returns:
            One map per entry of ``out_channels`` and ``out_strides``, (N, C, H / s, W / s).
        """
        raise NotImplementedError

    def rename_tensors(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Map the tensor names of a published checkpoint to this module's.

        Args:
            tensors: A checkpoint's tensors by name.

        Returns:
            The same tensors by this module's names; without an override, names stay as they are.
        """
        return dict(tensors)
