"""Dilated Residual Networks (DRN), the architecture of ClearGrasp's released checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models.backbones.resnet import BasicBlock, Bottleneck
from mmdet.models.layers import ResLayer
from mmdet.registry import MODELS
from torch import Tensor, nn

from .arguments import check_choice, is_ascending_choice
from .dilation import set_dilation
from .frozen import FreezableBackbone

#: Block type and number of blocks of layers 3 to 6, by architecture. Layers 1, 2, 7 and 8 are
#: residual blocks in C and plain convolutions in D.
ARCHS = {
    'C-26': (BasicBlock, (2, 2, 2, 2)),
    'C-42': (BasicBlock, (3, 4, 6, 3)),
    'C-58': (Bottleneck, (3, 4, 6, 3)),
    'D-22': (BasicBlock, (2, 2, 2, 2)),
    'D-38': (BasicBlock, (3, 4, 6, 3)),
    'D-54': (Bottleneck, (3, 4, 6, 3)),
    'D-105': (Bottleneck, (3, 4, 23, 3)),
}
#: Channels of layers 3 to 6, before a bottleneck's expansion; of layers 0 to 2; of layers 7 and 8.
WIDTHS = (64, 128, 256, 512)
STEM_WIDTHS = (16, 16, 32)
TAIL_WIDTH = 512
#: Strides of layers 3 to 6 without dilation, as a feature pyramid expects them.
PYRAMID_STRIDES = (4, 8, 16, 32)
#: Stride of layers 4 to 8 in the dense (dilated) network, which the checkpoints were trained as.
TRAINED_STRIDE = 8
#: Index of layer 8 in ``out_indices``.
TAIL = 4


class _BlockWithoutShortcut(BasicBlock):
    """Block of layers 7 and 8 of C networks: checkpoints contain a shortcut, which is not added."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm1(self.conv1(x)))
        return self.relu(self.norm2(self.conv2(x)))


@MODELS.register_module()
class ClearGraspDRN(FreezableBackbone):
    """Dilated Residual Network; ClearGrasp's released checkpoints are D-54.

    In the dense network layers 5 to 8 keep stride 8: layers 5 and 6 have dilations 2 and 4, layers
    7 and 8 have 2 and 1 to remove gridding artifacts. An ``output_stride`` above 8 works as in
    :class:`.ClearGraspResNet`: layers 5 and 6 read every second position of their input with half
    the dilation, which gives exactly the dense network's values at the positions that a feature
    pyramid reads. Layers 7 and 8 need the dense map. They are built only if ``out_indices``
    contains 4; otherwise a checkpoint's ``layer7`` and ``layer8`` are skipped.

    ===================  ========================  ============================  =========
    ``output_stride``    strides of maps 0 to 3    strides of FPN, 5 outputs     map 4
    ===================  ========================  ============================  =========
    32                   4, 8, 16, 32              4, 8, 16, 32, 64              no
    16                   4, 8, 16, 16              4, 8, 16, 16, 32              no
    8 (dense)            4, 8, 8, 8                4, 8, 8, 8, 16                stride 8
    ===================  ========================  ============================  =========

    Args:
        arch: Architecture: C-26, C-42, C-58, D-22, D-38, D-54 or D-105.
        output_stride: Stride of layer 6's map: 8, 16 or 32.
        frozen: Keep the weights fixed: no gradients, batch norm in evaluation mode, forward without
            autograd. Training raises ``CheckpointError`` if no weights were loaded.
        out_indices: Maps to return, in ascending order: 0 to 3 are layers 3 to 6, 4 is layer 8,
            which needs ``output_stride=8``.
        norm_eval: Keep batch norm in evaluation mode while training an unfrozen backbone, as
            in MMDetection's ``ResNet``; ``False`` for pretraining.
        init_cfg: Initialization, such as ``dict(type='ClearGraspCheckpoint',
            checkpoint='checkpoints/backbone.pth')``; ``None`` for random weights.

    Attributes:
        out_channels: Number of channels of each returned map.
        out_strides: Stride of each returned map, in input pixels.

    Raises:
        ValueError: An argument has an invalid value.

    Source: Yu, Koltun and Funkhouser, Dilated Residual Networks, CVPR 2017,
    https://arxiv.org/abs/1705.09914; tensor names are those of the authors' checkpoints.

    Example:
        >>> import torch
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspDRN
        >>> backbone = ClearGraspDRN('D-22', frozen=False).eval()
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
        arch: str = 'D-54',
        output_stride: int = 32,
        frozen: bool = True,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        norm_eval: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        _check_arguments(arch, output_stride, out_indices)
        super().__init__(init_cfg=init_cfg or _random_init_cfg())
        self.out_indices = tuple(out_indices)
        self.norm_eval = norm_eval
        block, blocks = ARCHS[arch]
        strides = [min(stride, output_stride) for stride in PYRAMID_STRIDES]
        channels = [width * block.expansion for width in WIDTHS]
        self.out_strides = tuple([*strides, TRAINED_STRIDE][i] for i in self.out_indices)
        self.out_channels = tuple([*channels, TAIL_WIDTH][i] for i in self.out_indices)

        with_residuals = arch.startswith('C')
        self._stem = self._add_stem(with_residuals)
        for index, inputs in enumerate([STEM_WIDTHS[-1], *channels[:-1]]):
            stride = 2 if PYRAMID_STRIDES[index] <= TRAINED_STRIDE else 1
            layer = ResLayer(block, inputs, WIDTHS[index], blocks[index], stride=stride)
            set_dilation(layer, PYRAMID_STRIDES[index] // strides[index])
            self.add_module(f'layer{index + 3}', layer)
        self._input_steps = [1, 1, strides[2] // strides[1], strides[3] // strides[2]]
        self.unused_tensors = () if TAIL in self.out_indices else ('layer7.', 'layer8.')
        if not self.unused_tensors:
            self.layer7 = _tail_layer(with_residuals, channels[-1], dilation=2)
            self.layer8 = _tail_layer(with_residuals, TAIL_WIDTH, dilation=1)
        self.freeze(frozen)

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x: Normalized images, (N, 3, H, W), float. ClearGrasp's weights expect RGB
                between 0 and 1.

        Returns:
            One map per entry of ``out_indices``, (N, C, ceil(H / s), ceil(W / s)) with C from
            ``out_channels`` and s from ``out_strides``.
        """
        for name in self._stem:
            x = getattr(self, name)(x)
        maps = []
        for index in range(min(max(self.out_indices), TAIL - 1) + 1):
            step = self._input_steps[index]
            x = getattr(self, f'layer{index + 3}')(x[..., ::step, ::step])
            maps.append(x)
        if TAIL in self.out_indices:
            maps.append(self.layer8(self.layer7(x)))
        return tuple(maps[index] for index in self.out_indices)

    def _add_stem(self, with_residuals: bool) -> list[str]:
        """Add the layers before layer 3, named as in the checkpoints; return the names in order."""
        first, second, third = STEM_WIDTHS
        conv = nn.Conv2d(3, first, 7, padding=3, bias=False)
        if with_residuals:
            self.conv1, self.bn1, self.relu = conv, nn.BatchNorm2d(first), nn.ReLU(inplace=True)
            self.layer1 = ResLayer(BasicBlock, first, second, 1)
            self.layer2 = ResLayer(BasicBlock, second, third, 1, stride=2)
            return ['conv1', 'bn1', 'relu', 'layer1', 'layer2']
        self.layer0 = nn.Sequential(conv, nn.BatchNorm2d(first), nn.ReLU(inplace=True))
        self.layer1 = _plain_layer(first, second)
        self.layer2 = _plain_layer(second, third, stride=2)
        return ['layer0', 'layer1', 'layer2']


def _plain_layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _tail_layer(with_residuals: bool, inputs: int, dilation: int) -> nn.Sequential:
    if with_residuals:
        layer = ResLayer(_BlockWithoutShortcut, inputs, TAIL_WIDTH, 1)
    else:
        layer = _plain_layer(inputs, TAIL_WIDTH)
    set_dilation(layer, dilation)
    return layer


def _random_init_cfg() -> list[dict]:
    """The random initialization of mmdet's ResNet."""
    return [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', val=1, layer='BatchNorm2d')]


def _check_arguments(arch: str, output_stride: int, out_indices: Sequence[int]) -> None:
    def check(name: str, value: object, allowed: bool, expected: str) -> None:
        check_choice('ClearGraspDRN', name, value, allowed, expected)

    check('arch', arch, arch in ARCHS, f'one of {", ".join(ARCHS)}')
    check('output_stride', output_stride, output_stride in (8, 16, 32), 'one of (8, 16, 32)')
    ascending = is_ascending_choice(list(out_indices), {0, 1, 2, 3, TAIL})
    expected = 'indices from (0, 1, 2, 3, 4) in ascending order; 0 to 3 are layers 3 to 6'
    check('out_indices', out_indices, ascending, expected)
    dense = TAIL not in out_indices or output_stride == TRAINED_STRIDE
    expected = 'index 4 (layer 8) only at output_stride=8: layers 7 and 8 need the dense map'
    check('out_indices', out_indices, dense, expected)
