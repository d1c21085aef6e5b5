"""ClearGrasp's dilated ResNet, run densely or, exactly subsampled, at a pyramid's strides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.backbones import ResNet
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..errors import CheckpointError

#: Strides of the four stages of a ResNet that was never dilated.
PYRAMID_STRIDES = (4, 8, 16, 32)


@MODELS.register_module()
class ClearGraspResNet(ResNet):
    """The ResNet that ClearGrasp trains, over MMDetection's own.

    ClearGrasp trains it *dense*: from ``trained_stride`` on the stages keep their resolution and
    dilate their 3x3 convolutions instead, and the blocks of the last stage multiply that dilation
    by ``multi_grid``. A convolution of dilation ``2k`` reads only positions that are ``2k`` apart,
    so every second position of a stage's output depends on every second position of its input.
    ``output_stride`` above ``trained_stride`` makes use of it: a stage's input is read at every
    second position and its dilation is halved, which gives *the dense network's values* at the
    positions that a feature pyramid reads, for the price of a plain ResNet.

    ========================  ============================  =================
    ``output_stride``         strides of the four stages    FPN, ``num_outs=5``
    ========================  ============================  =================
    32                        4, 8, 16, 32                  stock
    16                        4, 8, 16, 16                  strides 4, 8, 16, 16, 32
    8 (dense)                 4, 8, 8, 8                    strides 4, 8, 8, 8, 16
    ========================  ============================  =================

    Args:
        depth (int): 18, 34, 50, 101 or 152.
        trained_stride (int): the output stride at which the checkpoint was trained, 8 or 16.
        output_stride (int): the stride at which the last map is wanted: 8, 16 or 32, and not below
            ``trained_stride``.
        multi_grid (Sequence[int]): factors of the dilation of the last stage's blocks, one a block
            (ResNet-18 has two and uses the first two).
        frozen (bool): no gradient, batch norm on its running statistics, forward without autograd.
            Training a frozen backbone into which no weights were loaded is refused.
        out_indices (Sequence[int]): stages to return, ascending, from 0 to 3.
        norm_eval (bool): batch norm on its running statistics where the backbone is not frozen
            too; ``False`` to pretrain.
        init_cfg (dict, optional): where the weights come from, as in
            ``dict(type='ClearGraspCheckpoint', checkpoint='checkpoints/backbone.pth')``.

    Attributes:
        out_channels (tuple[int, ...]): channels of each returned map.
        out_strides (tuple[int, ...]): pixels of the input for each position of a returned map.

    Raises:
        ValueError: an argument outside the values above.

    Source: DeepLabv3+'s ResNet as in https://github.com/Shreeyak/cleargrasp (Apache-2.0); the
    paper is Sajjan et al., ClearGrasp, ICRA 2020, https://arxiv.org/abs/1910.02550.

    Example:
        >>> import torch
        >>> from mmdet_cleargrasp.backbones import ClearGraspResNet
        >>> backbone = ClearGraspResNet(depth=18, frozen=False).eval()
        >>> for level in backbone(torch.rand(1, 3, 64, 96)):
        ...     print(tuple(level.shape))
        (1, 64, 16, 24)
        (1, 128, 8, 12)
        (1, 256, 4, 6)
        (1, 512, 2, 3)
        >>> backbone.out_channels, backbone.out_strides
        ((64, 128, 256, 512), (4, 8, 16, 32))
    """

    def __init__(
        self,
        depth: int,
        trained_stride: int = 8,
        output_stride: int = 32,
        multi_grid: Sequence[int] = (1, 2, 4),
        frozen: bool = True,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        norm_eval: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        _check_arguments(depth, trained_stride, output_stride, multi_grid, out_indices)
        trained = [min(stride, trained_stride) for stride in PYRAMID_STRIDES]
        wanted = [min(stride, output_stride) for stride in PYRAMID_STRIDES]
        conv_strides = (1, *(b // a for a, b in zip(trained, trained[1:], strict=False)))
        super().__init__(
            depth=depth,
            strides=conv_strides,
            out_indices=tuple(out_indices),
            frozen_stages=4 if frozen else -1,
            norm_eval=norm_eval,
            init_cfg=init_cfg,
        )
        self.frozen = frozen
        self.out_strides = tuple(wanted[i] for i in self.out_indices)
        self.out_channels = tuple(64 * 2**i * self.block.expansion for i in self.out_indices)
        self._input_steps = [1] + [
            wanted[i] // wanted[i - 1] // conv_strides[i] for i in range(1, 4)
        ]
        self._has_weights = False
        for stage, natural, stride in zip(self.stages, PYRAMID_STRIDES, wanted, strict=True):
            last = stage is self.stages[-1]
            for block, factor in zip(stage, multi_grid if last else [1] * len(stage), strict=False):
                _dilate(block, natural // stride * factor)

    @property
    def stages(self) -> list[nn.Sequential]:
        """The four residual stages, in the order of computation."""
        return [getattr(self, name) for name in self.res_layers]

    def init_weights(self) -> None:
        """Fill in the weights that ``init_cfg`` names.

        Raises:
            CheckpointError: the file does not fit, or the backbone is frozen and has no weights.
        """
        super().init_weights()
        self._refuse_random_features()

    def train(self, mode: bool = True) -> ClearGraspResNet:
        """Switch to training or evaluation; what is frozen stays in evaluation.

        Args:
            mode (bool): training or not.

        Returns:
            ClearGraspResNet: itself, which mmdet's ResNet forgets to return.
        """
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x (Tensor): normalised images, (N, 3, H, W), float. ClearGrasp's weights expect RGB
                between 0 and 1.

        Returns:
            tuple[Tensor, ...]: a map a stage of ``out_indices``, (N, C, ceil(H/s), ceil(W/s)) with
            C of ``out_channels`` and s of ``out_strides``.
        """
        if self.training:
            self._refuse_random_features()
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = self.maxpool(self.relu(self.norm1(self.conv1(x))))
            maps = []
            for index in range(max(self.out_indices) + 1):
                step = self._input_steps[index]
                x = self.stages[index](x[..., ::step, ::step])
                if index in self.out_indices:
                    maps.append(x)
        return tuple(maps)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        needed = {name for name, _ in self.named_parameters()}
        self._has_weights |= all(prefix + name in state_dict for name in needed)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _refuse_random_features(self) -> None:
        if self.frozen and not self._has_weights:
            raise CheckpointError(
                'a frozen ClearGraspResNet has no weights loaded: its features would be random '
                'and stay so. Give the backbone init_cfg=dict(type="ClearGraspCheckpoint", '
                'checkpoint=PATH), or set frozen=False to train it.'
            )


def _dilate(block: nn.Module, dilation: int) -> None:
    """Dilate every 3x3 convolution of a residual block, with the padding that keeps the size.

    mmdet's BasicBlock dilates its first convolution only. Both have to be, or the positions that
    subsampling drops would take part in those that it keeps.
    """
    for conv in block.modules():
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3):
            conv.dilation = conv.padding = (dilation, dilation)


def _check_arguments(
    depth: int,
    trained_stride: int,
    output_stride: int,
    multi_grid: Sequence[int],
    out_indices: Sequence[int],
) -> None:
    def refuse(name: str, value: object, expected: str) -> None:
        raise ValueError(f'ClearGraspResNet: {name}={value!r}, expected {expected}')

    if depth not in ResNet.arch_settings:
        refuse('depth', depth, f'one of {tuple(ResNet.arch_settings)}')
    if trained_stride not in (8, 16):
        refuse('trained_stride', trained_stride, 'one of (8, 16)')
    if output_stride not in (8, 16, 32) or output_stride < trained_stride:
        allowed = tuple(stride for stride in (8, 16, 32) if stride >= trained_stride)
        refuse('output_stride', output_stride, f'one of {allowed} (trained at {trained_stride})')
    blocks = ResNet.arch_settings[depth][1][-1]
    if len(multi_grid) < blocks or any(not isinstance(g, int) or g < 1 for g in multi_grid):
        refuse('multi_grid', multi_grid, f'at least {blocks} whole numbers from 1 on, one a block')
    indices = list(out_indices)
    if not indices or indices != sorted(set(indices)) or not set(indices) <= {0, 1, 2, 3}:
        refuse('out_indices', out_indices, 'different stages of (0, 1, 2, 3) in ascending order')
