"""Base class of backbones that can be frozen."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ...utils.errors import CheckpointError
from .base import Backbone
from .feature_cache import FeatureCache
from .folding import FoldedCopy


class FreezableBackbone(Backbone):
    """A backbone that can be frozen: no gradients, no autograd, batch norm in evaluation mode.

    Subclasses implement :meth:`forward_features` and call :meth:`freeze` at the end of
    ``__init__``; with several base classes this one comes first. Without gradients, and with batch
    norm in evaluation mode, the maps are computed by a :class:`.FoldedCopy`.

    Attributes:
        frozen: Whether the backbone is frozen; set by :meth:`freeze`.
        norm_eval: Keep batch norm in evaluation mode while training an unfrozen backbone.
        out_channels: Number of channels of each returned map.
        out_strides: Stride of each returned map, in input pixels.
        feature_cache: On-disk cache of the maps, used without autograd; ``None`` for no cache.
        unused_tensors: See :class:`.Backbone`.

    Example:
        >>> from torch import nn
        >>> class Halved(FreezableBackbone):
        ...     def __init__(self, frozen):
        ...         super().__init__()
        ...         self.conv, self.norm_eval = nn.Conv2d(3, 1, 1, stride=2), True
        ...         self.freeze(frozen)
        ...
        ...     def forward_features(self, x):
        ...         return (self.conv(x),)
        >>> Halved(frozen=True).train()(torch.rand(1, 3, 8, 8))
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.CheckpointError: a frozen Halved has no weights loaded...
        >>> Halved(frozen=False).train()(torch.rand(1, 3, 8, 8))[0].requires_grad
        True
    """

    frozen: bool = False
    norm_eval: bool = True
    feature_cache: FeatureCache | None = None
    _has_weights = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._folded_copy = FoldedCopy()

    def freeze(self, frozen: bool = True) -> None:
        """Freeze or unfreeze the backbone.

        Args:
            frozen: ``False`` to unfreeze. Parameters are trained only if the optimizer has them.
        """
        self.frozen = frozen
        for parameter in self.parameters():
            parameter.requires_grad = not frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> FreezableBackbone:
        """Set training or evaluation mode; the layers of a frozen backbone stay in evaluation mode.

        Args:
            mode: ``True`` for training mode, ``False`` for evaluation mode.

        Returns:
            ``self``, which mmdet's backbones do not return.
        """
        super().train(mode)
        if not self.frozen:
            # An EMA hook swaps weights through .data, which the copy's version check cannot see.
            self._folded_copy.discard()
        for module in self.children():
            if self.frozen:
                module.eval()
        for module in self.modules():
            if self.norm_eval and isinstance(module, _BatchNorm):
                module.eval()
        return self

    def init_weights(self) -> None:
        """Initialize the weights as ``init_cfg`` specifies.

        Raises:
            CheckpointError: The checkpoint does not fit, or the backbone is frozen and no weights
                were loaded.
        """
        super().init_weights()
        self._check_weights_loaded()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps, without autograd if the backbone is frozen.

        Args:
            x: Normalized images, (N, 3, H, W), float.

        Returns:
            One map per entry of ``out_channels`` and ``out_strides``, (N, C, H / s, W / s).

        Raises:
            CheckpointError: In training mode, if the backbone is frozen and no weights were loaded.
        """
        if self.training:
            self._check_weights_loaded()
        if torch.is_grad_enabled() and not self.frozen:
            return self.forward_features(x)
        with torch.no_grad():
            if self.training and not self.frozen:  # batch norm may use batch statistics
                return self.forward_features(x)
            compute = partial(self._folded_copy, self)
            return self.feature_cache(x, compute) if self.feature_cache else compute(x)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        needed = {name for name, _ in self.named_parameters()}
        self._has_weights |= all(prefix + name in state_dict for name in needed)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _check_weights_loaded(self) -> None:
        if self.frozen and not self._has_weights:
            raise CheckpointError(
                f'a frozen {type(self).__name__} has no weights loaded: its features would be '
                'random and stay random. Set init_cfg=dict(type="ClearGraspCheckpoint", '
                'checkpoint=PATH) in the backbone, or frozen=False to train it.'
            )
