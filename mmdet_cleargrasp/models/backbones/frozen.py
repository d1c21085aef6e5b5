"""Base of all backbones: freezing, unfreezing, and the check that frozen ones have weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...utils.errors import CheckpointError
from .feature_cache import FeatureCache
from .folding import FoldedTwin


class FreezableBackbone(BaseModule):
    """A backbone that can be frozen: no gradient, no autograd, batch norm on running statistics.

    Put it before the class that it extends, write :meth:`forward_features`, and call :meth:`freeze`
    at the end of ``__init__``. Where nothing is learned, a copy with the batch norm folded into the
    convolutions computes.

    Attributes:
        frozen: Set with :meth:`freeze`.
        norm_eval: Batch norm on its running statistics where the backbone is not frozen too.
        out_channels: Channels of each returned map.
        out_strides: Pixels of the input for each position of a returned map.
        feature_cache: Feature maps on disk, which a frozen backbone reads instead of computing.
        unused_tensors: Beginnings of names of tensors that a published file has and this backbone
            does not use.

    Example:
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
    out_channels: tuple[int, ...]
    out_strides: tuple[int, ...]
    feature_cache: FeatureCache | None = None
    unused_tensors: tuple[str, ...] = ()
    _has_weights = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._twin = FoldedTwin()

    def freeze(self, frozen: bool = True) -> None:
        """Freeze the backbone, or let it learn from now on.

        Args:
            frozen: ``False`` to unfreeze. An optimizer must know the parameters by then.
        """
        self.frozen = frozen
        for parameter in self.parameters():
            parameter.requires_grad = not frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> FreezableBackbone:
        """Switch to training or evaluation; what is frozen stays in evaluation.

        Args:
            mode: Training or not.

        Returns:
            Itself, as ``nn.Module`` promises and mmdet's backbones forget.
        """
        super().train(mode)
        if not self.frozen:
            self._twin.forget()  # weights of an average come and go behind the version counters
        for module in self.children():
            if self.frozen:
                module.eval()
        for module in self.modules():
            if self.norm_eval and isinstance(module, _BatchNorm):
                module.eval()
        return self

    def init_weights(self) -> None:
        """Fill in the weights that ``init_cfg`` names.

        Raises:
            CheckpointError: The file does not fit, or the backbone is frozen and has no weights.
        """
        super().init_weights()
        self._refuse_random_features()

    def rename_tensors(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename a file's tensors from published names to this module's; the same ones by default.

        Args:
            tensors: Of a file, by name.
        """
        return dict(tensors)

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps; for subclasses to write.

        Args:
            x: Normalized images, (N, 3, H, W), float.

        Returns:
            The maps.
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps, without an autograd graph where the backbone is frozen.

        Args:
            x: Normalized images, (N, 3, H, W), float.

        Returns:
            The maps, of ``out_channels`` and ``out_strides``.

        Raises:
            CheckpointError: In training, where the backbone is frozen and has no weights.
        """
        if self.training:
            self._refuse_random_features()
        if torch.is_grad_enabled() and not self.frozen:
            return self.forward_features(x)
        with torch.no_grad():
            if self.training and not self.frozen:  # batch norm on the statistics of the batch
                return self.forward_features(x)
            compute = partial(self._twin, self)
            return self.feature_cache(x, compute) if self.feature_cache else compute(x)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        needed = {name for name, _ in self.named_parameters()}
        self._has_weights |= all(prefix + name in state_dict for name in needed)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _refuse_random_features(self) -> None:
        if self.frozen and not self._has_weights:
            raise CheckpointError(
                f'a frozen {type(self).__name__} has no weights loaded: its features would be '
                'random and stay so. Give the backbone init_cfg=dict(type="ClearGraspCheckpoint", '
                'checkpoint=PATH), or set frozen=False to train it.'
            )


def set_dilation(block: nn.Module, dilation: int) -> None:
    """Dilate every 3x3 convolution of a block, with the padding that keeps the size.

    mmdet's BasicBlock dilates its first convolution only. Both have to be, or the positions that
    subsampling drops would take part in those that it keeps.

    Args:
        block: Changed.
        dilation: From 1 on.

    Example:
        >>> conv = nn.Conv2d(4, 4, 3, padding=1)
        >>> set_dilation(conv, 2)
        >>> conv(torch.rand(1, 4, 9, 9)).shape
        torch.Size([1, 4, 9, 9])
    """
    for conv in block.modules():
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3):
            conv.dilation = conv.padding = (dilation, dilation)


def check_choice(owner: str, name: str, value: object, allowed: bool, expected: str) -> None:
    """Refuse an argument with a message that says what is allowed.

    Raises:
        ValueError: ``allowed`` is false.

    Example:
        >>> check_choice('ClearGraspResNet', 'depth', 42, False, 'one of (18, 34)')
        Traceback (most recent call last):
            ...
        ValueError: ClearGraspResNet: depth=42, expected one of (18, 34)
    """
    if not allowed:
        raise ValueError(f'{owner}: {name}={value!r}, expected {expected}')


def is_ascending_choice(indices: list[int], allowed: set[int]) -> bool:
    """Whether indices are some of ``allowed``, each once and in ascending order.

    Example:
        >>> is_ascending_choice([0, 2], {0, 1, 2}), is_ascending_choice([2, 0], {0, 1, 2})
        (True, False)
    """
    return bool(indices) and indices == sorted(set(indices)) and set(indices) <= allowed
