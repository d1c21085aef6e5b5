"""ClearGrasp's dilated ResNet, dense or subsampled to the strides of a feature pyramid."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models.backbones import ResNet
from mmdet.registry import MODELS
from torch import Tensor, nn

from .arguments import check_choice, is_ascending_choice
from .dilation import set_dilation
from .frozen import FreezableBackbone

#: Strides of the four stages of a ResNet without dilation.
PYRAMID_STRIDES = (4, 8, 16, 32)


@MODELS.register_module()
class ClearGraspResNet(FreezableBackbone, ResNet):
    """ClearGrasp's dilated ResNet, based on MMDetection's ``ResNet``.

    ClearGrasp trains it *dense*: stages beyond ``trained_stride`` keep their resolution and dilate
    their 3x3 convolutions instead, and the blocks of the last stage multiply that dilation by
    ``multi_grid``. A convolution with dilation ``2k`` reads only positions that are ``2k`` apart,
    so every second position of a stage's output depends only on every second position of its
    input. With ``output_stride`` above ``trained_stride`` a stage reads every second position of
    its input with half the dilation: its output *equals the dense network's* at the positions that
    a feature pyramid reads, at the cost of a plain ResNet.

    ========================  ============================  ============================
    ``output_stride``         strides of the four stages    strides of FPN, 5 outputs
    ========================  ============================  ============================
    32                        4, 8, 16, 32                  4, 8, 16, 32, 64
    16                        4, 8, 16, 16                  4, 8, 16, 16, 32
    8 (dense)                 4, 8, 8, 8                    4, 8, 8, 8, 16
    ========================  ============================  ============================

    ``trained_stride=32`` is a plain ResNet without dilation, for ImageNet and COCO checkpoints.

    Args:
        depth: Number of layers: 18, 34, 50, 101 or 152.
        trained_stride: Output stride at which the checkpoint was trained: 8 or 16, or 32 for a
            ResNet without dilation.
        output_stride: Stride of the last stage's map: 8, 16 or 32, not below ``trained_stride``.
        multi_grid: Dilation factors of the last stage's blocks, one per block (ResNet-18 has two
            blocks and uses the first two); ignored at ``trained_stride=32``.
        frozen: Keep the weights fixed: no gradients, batch norm in evaluation mode, forward without
            autograd. Training raises ``CheckpointError`` if no weights were loaded.
        out_indices: Stages whose maps are returned, in ascending order, from 0 to 3.
        norm_eval: Keep batch norm in evaluation mode while training an unfrozen backbone, as
            in MMDetection's ``ResNet``; ``False`` for pretraining.
        init_cfg: Initialization, such as ``dict(type='ClearGraspCheckpoint',
            checkpoint='checkpoints/backbone.pth')``; ``None`` for random weights.

    Attributes:
        trained_stride: The argument of the same name.
        out_channels: Number of channels of each returned map.
        out_strides: Stride of each returned map, in input pixels.

    Raises:
        ValueError: An argument has an invalid value.

    Source: DeepLabv3+'s ResNet as in https://github.com/Shreeyak/cleargrasp (Apache-2.0); the
    paper is Sajjan et al., ClearGrasp, ICRA 2020, https://arxiv.org/abs/1910.02550.

    Example:
        >>> import torch
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
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
            norm_eval=norm_eval,
            init_cfg=init_cfg,
        )
        self.trained_stride = trained_stride
        self.out_strides = tuple(wanted[i] for i in self.out_indices)
        self.out_channels = tuple(64 * 2**i * self.block.expansion for i in self.out_indices)
        self._input_steps = [1] + [
            wanted[i] // wanted[i - 1] // conv_strides[i] for i in range(1, 4)
        ]
        dilated = trained_stride < PYRAMID_STRIDES[-1]
        for stage, natural, stride in zip(self.stages, PYRAMID_STRIDES, wanted, strict=True):
            gridded = dilated and stage is self.stages[-1]
            factors = multi_grid if gridded else [1] * len(stage)
            for block, factor in zip(stage, factors, strict=False):
                set_dilation(block, natural // stride * factor)
        self.freeze(frozen)

    @property
    def stages(self) -> list[nn.Sequential]:
        """The four residual stages in order of computation."""
        return [getattr(self, name) for name in self.res_layers]

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x: Normalized images, (N, 3, H, W), float. ClearGrasp's weights expect RGB
                between 0 and 1.

        Returns:
            One map per entry of ``out_indices``, (N, C, ceil(H / s), ceil(W / s)) with C from
            ``out_channels`` and s from ``out_strides``.
        """
        x = self.maxpool(self.relu(self.norm1(self.conv1(x))))
        maps = []
        for index in range(max(self.out_indices) + 1):
            step = self._input_steps[index]
            x = self.stages[index](x[..., ::step, ::step])
            if index in self.out_indices:
                maps.append(x)
        return tuple(maps)


def _check_arguments(
    depth: int,
    trained_stride: int,
    output_stride: int,
    multi_grid: Sequence[int],
    out_indices: Sequence[int],
) -> None:
    def check(name: str, value: object, allowed: bool, expected: str) -> None:
        check_choice('ClearGraspResNet', name, value, allowed, expected)

    check('depth', depth, depth in ResNet.arch_settings, f'one of {tuple(ResNet.arch_settings)}')
    check('trained_stride', trained_stride, trained_stride in (8, 16, 32), 'one of (8, 16, 32)')
    strides = tuple(stride for stride in (8, 16, 32) if stride >= trained_stride)
    expected = f'one of {strides} (trained at {trained_stride})'
    check('output_stride', output_stride, output_stride in strides, expected)
    blocks = ResNet.arch_settings[depth][1][-1]
    factors = len(multi_grid) >= blocks and all(isinstance(g, int) and g > 0 for g in multi_grid)
    expected = f'at least {blocks} positive integers, one per block'
    check('multi_grid', multi_grid, factors, expected)
    ascending = is_ascending_choice(list(out_indices), {0, 1, 2, 3})
    expected = 'indices from (0, 1, 2, 3) in ascending order'
    check('out_indices', out_indices, ascending, expected)
