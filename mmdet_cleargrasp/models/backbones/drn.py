"""Dilated Residual Networks, of which ClearGrasp's released checkpoints are one."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models.backbones.resnet import BasicBlock, Bottleneck
from mmdet.models.layers import ResLayer
from mmdet.registry import MODELS
from torch import Tensor, nn

from .frozen import FreezableBackbone, check_choice, is_ascending_choice, set_dilation

#: Block and number of blocks of layers 3 to 6, by architecture. C has residual stems and tails,
#: D plain convolutions there.
ARCHS = {
    'C-26': (BasicBlock, (2, 2, 2, 2)),
    'C-42': (BasicBlock, (3, 4, 6, 3)),
    'C-58': (Bottleneck, (3, 4, 6, 3)),
    'D-22': (BasicBlock, (2, 2, 2, 2)),
    'D-38': (BasicBlock, (3, 4, 6, 3)),
    'D-54': (Bottleneck, (3, 4, 6, 3)),
    'D-105': (Bottleneck, (3, 4, 23, 3)),
}
#: Width of layers 3 to 6, before a bottleneck's expansion, and of the layers around them.
WIDTHS = (64, 128, 256, 512)
STEM_WIDTHS = (16, 16, 32)
TAIL_WIDTH = 512
#: Strides of layers 3 to 6 as a pyramid has them; dense networks stop at 8.
PYRAMID_STRIDES = (4, 8, 16, 32)
TRAINED_STRIDE = 8
#: Index of layer 8 among the maps that can be returned.
TAIL = 4


class _BlockWithoutShortcut(BasicBlock):
    """The block of a C network's tail: its shortcut is in the files, but is not added."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm1(self.conv1(x)))
        return self.relu(self.norm2(self.conv2(x)))


@MODELS.register_module()
class ClearGraspDRN(FreezableBackbone):
    """The dilated residual network that ClearGrasp's released checkpoints are (as D-54).

    Layers 5 and 6 keep stride 8 and dilate by 2 and 4; layers 7 and 8 undilate again by 2 and 1,
    to smooth away the grid that dilation leaves. As in :class:`.ClearGraspResNet`, above 8
    ``output_stride`` reads a layer's input at every second position and halves its dilation:
    exactly the dense network's values at the positions that a feature pyramid reads. Layers 7 and
    8 need the dense map. They are built only where index 4 asks for them; else a file's
    ``layer7`` and ``layer8`` are skipped.

    ===================  ==================  ===========================  =========
    ``output_stride``    strides, 0 to 3     FPN, ``num_outs=5``          index 4
    ===================  ==================  ===========================  =========
    32                   4, 8, 16, 32        stock                        no
    16                   4, 8, 16, 16        strides 4, 8, 16, 16, 32     no
    8 (dense)            4, 8, 8, 8          strides 4, 8, 8, 8, 16       stride 8
    ===================  ==================  ===========================  =========

    Args:
        arch: C-26, C-42, C-58, D-22, D-38, D-54 or D-105.
        output_stride: The stride at which the map of layer 6 is wanted: 8, 16 or 32.
        frozen: No gradient, batch norm on its running statistics, forward without autograd.
            Training a frozen backbone into which no weights were loaded is refused.
        out_indices: Maps to return, ascending: 0 to 3 are layers 3 to 6, 4 is
            layer 8, which needs ``output_stride=8``.
        norm_eval: Batch norm on its running statistics where the backbone is not frozen
            too; ``False`` to pretrain.
        init_cfg: Where the weights come from, as in
            ``dict(type='ClearGraspCheckpoint', checkpoint='checkpoints/backbone.pth')``.

    Attributes:
        out_channels: Channels of each returned map.
        out_strides: Pixels of the input for each position of a returned map.

    Raises:
        ValueError: An argument outside the values above.

    Source: Yu, Koltun and Funkhouser, Dilated Residual Networks, CVPR 2017,
    https://arxiv.org/abs/1705.09914; the tensors are named as in its authors' files.

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
            A map an index of ``out_indices``, (N, C, ceil(H/s), ceil(W/s))
            with C of ``out_channels`` and s of ``out_strides``.
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
        """Add the layers before layer 3, named as in the files; returns them in order."""
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
    """Initialize as mmdet's ResNet does without a checkpoint."""
    return [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', val=1, layer='BatchNorm2d')]


def _check_arguments(arch: str, output_stride: int, out_indices: Sequence[int]) -> None:
    def check(name: str, value: object, allowed: bool, expected: str) -> None:
        check_choice('ClearGraspDRN', name, value, allowed, expected)

    check('arch', arch, arch in ARCHS, f'one of {", ".join(ARCHS)}')
    check('output_stride', output_stride, output_stride in (8, 16, 32), 'one of (8, 16, 32)')
    ascending = is_ascending_choice(list(out_indices), {0, 1, 2, 3, TAIL})
    expected = 'different maps of (0, 1, 2, 3, 4) in ascending order; 0 to 3 are layers 3 to 6'
    check('out_indices', out_indices, ascending, expected)
    dense = TAIL not in out_indices or output_stride == TRAINED_STRIDE
    expected = 'no index 4 (layer 8) but at output_stride=8: layers 7 and 8 need the dense map'
    check('out_indices', out_indices, dense, expected)
