"""Recognize the network architecture of a state dict by the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from .efficientnet_lite import lite_number

# Depths by kind of block and number of blocks in stages 1 to 4.
RESNET_DEPTHS: dict[tuple[str, tuple[int, ...]], int] = {
    ('basic', (2, 2, 2, 2)): 18,
    ('basic', (3, 4, 6, 3)): 34,
    ('bottleneck', (3, 4, 6, 3)): 50,
    ('bottleneck', (3, 4, 23, 3)): 101,
    ('bottleneck', (3, 8, 36, 3)): 152,
}

# Architectures by kind of stem (C or D), kind of block and number of blocks in layers 3 to 6.
DRN_ARCHS: dict[tuple[str, str, tuple[int, ...]], str] = {
    ('C', 'basic', (2, 2, 2, 2)): 'C-26',
    ('C', 'basic', (3, 4, 6, 3)): 'C-42',
    ('C', 'bottleneck', (3, 4, 6, 3)): 'C-58',
    ('D', 'basic', (2, 2, 2, 2)): 'D-22',
    ('D', 'basic', (3, 4, 6, 3)): 'D-38',
    ('D', 'bottleneck', (3, 4, 6, 3)): 'D-54',
    ('D', 'bottleneck', (3, 4, 23, 3)): 'D-105',
}


@dataclass(frozen=True)
class Family:
    """A network architecture.

    Attributes:
        name: Name for messages, such as ``'ResNet-50'`` or ``'DRN-D-54'``.
        config: Arguments of the backbone in a config, such as ``"type='AlexNet'"``; ``None`` if
            this plugin has no such backbone.
        configs: Glob pattern of the plugin's configs with this backbone; ``None`` if it is the
            default backbone or there are no such configs.
    """

    name: str
    config: str | None = None
    configs: str | None = None


UNKNOWN = Family('an unknown network')
#: Prefix of the tensors of a timm network in :class:`.TimmBackbone`.
TIMM_PREFIX = 'network.'


def recognize(state_dict: Mapping[str, Tensor]) -> Family:
    """Recognize the architecture of a backbone.

    Args:
        state_dict: Tensors by name, without prefixes such as ``backbone.``.

    Returns:
        The architecture, or :data:`UNKNOWN`.

    Example:
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> recognize(ClearGraspResNet(depth=34, frozen=False).state_dict())
        Family(name='ResNet-34', config="type='ClearGraspResNet', depth=34", configs=None)
    """
    state_dict = {name.removeprefix(TIMM_PREFIX): t for name, t in state_dict.items()}
    lite = lite_number(state_dict)
    if lite is not None:
        network = f'tf_efficientnet_lite{lite}'
        return Family(f'EfficientNet-Lite{lite}', f"type='TimmBackbone', network='{network}'")
    blocks = _blocks_by_layer(state_dict)
    if 'features.0.weight' in state_dict:
        return _alexnet(state_dict)
    if len(blocks) > 4:
        return _drn(state_dict, blocks)
    if 'conv1.weight' in state_dict and blocks:
        return _resnet(state_dict, blocks)
    return UNKNOWN


def _alexnet(state_dict: Mapping[str, Tensor]) -> Family:
    if tuple(state_dict['features.0.weight'].shape[2:]) != (11, 11):
        return Family('VGG')
    return Family('AlexNet', "type='AlexNet'", '*_alexnet_plates.py')


def _resnet(state_dict: Mapping[str, Tensor], blocks: dict[int, int]) -> Family:
    counts = tuple(blocks.get(layer, 0) for layer in range(1, 5))
    kind = _block_kind(state_dict, layer=1)
    depth = RESNET_DEPTHS.get((kind, counts))
    if depth is None:
        return Family(f'a ResNet with {counts} {kind} blocks')
    if tuple(state_dict['conv1.weight'].shape[2:]) != (7, 7):
        return Family(f'a ResNet-{depth} with another stem')
    return Family(f'ResNet-{depth}', f"type='ClearGraspResNet', depth={depth}")


def _drn(state_dict: Mapping[str, Tensor], blocks: dict[int, int]) -> Family:
    stem = 'D' if 'layer0.0.weight' in state_dict else 'C'
    counts = tuple(blocks.get(layer, 0) for layer in range(3, 7))
    arch = DRN_ARCHS.get((stem, _block_kind(state_dict, layer=3), counts))
    if arch is None:
        return Family(f'a DRN with {counts} blocks')
    configs = '*_drn54_plates.py' if arch == 'D-54' else None
    return Family(f'DRN-{arch}', f"type='ClearGraspDRN', arch='{arch}'", configs)


def _blocks_by_layer(state_dict: Mapping[str, Tensor]) -> dict[int, int]:
    found = {
        (int(match[1]), int(match[2]))
        for match in (re.match(r'layer(\d{1,3})\.(\d{1,3})\.', name) for name in state_dict)
        if match
    }
    return {layer: sum(1 for other, _ in found if other == layer) for layer, _ in found}


def _block_kind(state_dict: Mapping[str, Tensor], layer: int) -> str:
    return 'bottleneck' if f'layer{layer}.0.conv3.weight' in state_dict else 'basic'
