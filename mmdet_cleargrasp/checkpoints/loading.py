"""Loading a backbone file into a backbone, all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from ..errors import CheckpointError
from .families import Family, recognise
from .reading import read_checkpoint

# Where the layouts keep their tensors: ClearGrasp's, MMDetection's; torchvision's has no wrapper.
STATE_DICT_KEYS = ('model_state_dict', 'state_dict')
# Classifiers of plain backbone files, which no detector uses.
CLASSIFIERS = ('fc.',)
# Batch norm's step counter: files from before torch 0.4.1 lack it, running statistics don't use it.
STEP_COUNTER = 'num_batches_tracked'


@dataclass(frozen=True)
class BackboneFile:
    """What a checkpoint file holds of a backbone.

    Attributes:
        path (Path): the file.
        tensors (dict[str, Tensor]): the backbone's tensors by name, without prefixes.
        family (Family): the network that they belong to.
        left_out (dict[str, int]): number of tensors of other parts, such as ``aspp``, by part.
        epoch (int, optional): where the file says it.
        note (str, optional): likewise; what made the file, and what it is not.
    """

    path: Path
    tensors: dict[str, Tensor]
    family: Family
    left_out: dict[str, int]
    epoch: int | None
    note: str | None = None


@WEIGHT_INITIALIZERS.register_module()
class ClearGraspCheckpoint:
    """The ``init_cfg`` type that loads a local backbone file strictly.

    Reads ClearGrasp's files as they were published, torchvision's, plain state dicts and the
    checkpoints of MMDetection: unwraps, strips ``module.`` and ``backbone.``, leaves decoder,
    aspp and classifier out, recognises family and depth, and loads all tensors or none.

    Args:
        checkpoint (str | Path): the local file.

    Example:
        A config's backbone takes it as::

            init_cfg=dict(type='ClearGraspCheckpoint', checkpoint='checkpoints/backbone.pth')
    """

    def __init__(self, checkpoint: str | Path) -> None:
        self.checkpoint = checkpoint

    def __call__(self, module: nn.Module) -> None:
        """Load the file into ``module``, see :func:`load_backbone`."""
        load_backbone(module, self.checkpoint)
        # mmengine initialises the children after this; whatever is loaded must stay.
        for child in module.modules():
            if isinstance(child, BaseModule) and child is not module:
                child.is_init = True


def load_backbone(module: nn.Module, path: str | Path) -> BackboneFile:
    """Load a backbone file into a backbone and log how many tensors of how many.

    Args:
        module (nn.Module): the backbone.
        path (str | Path): the local file.

    Returns:
        BackboneFile: what the file holds.

    Raises:
        CheckpointError: the file cannot be read or does not fit; ``module`` is then unchanged.
    """
    file = open_backbone(path)
    check_fit(file, module)
    expected = module.state_dict()
    # The counters that an old file lacks keep the values that they have.
    module.load_state_dict({**expected, **file.tensors})
    print_log(
        f'{file.path}: loaded {len(file.tensors)} of {len(expected)} backbone tensors '
        f'({file.family.name})' + _left_out_text(file.left_out),
        logger='current',
    )
    return file


def open_backbone(path: str | Path) -> BackboneFile:
    """Read a checkpoint file and single out the backbone in it.

    Args:
        path (str | Path): the local file.

    Raises:
        CheckpointError: the file cannot be read, or holds no tensors of a network.
    """
    path = Path(path).expanduser()
    content = read_checkpoint(path)
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f'{path} holds a {type(content).__name__}, expected a state dict: tensors by name'
        )
    state_dict = next((content[key] for key in STATE_DICT_KEYS if key in content), content)
    if not isinstance(state_dict, Mapping):
        raise CheckpointError(
            f'{path}: its state dict is a {type(state_dict).__name__}, expected tensors by name'
        )
    tensors = {
        str(name).removeprefix('module.'): value
        for name, value in state_dict.items()
        if isinstance(value, Tensor)
    }
    if not tensors:
        keys = ', '.join(str(key) for key in list(content)[:5]) or 'nothing'
        raise CheckpointError(f'{path} holds no tensors by name, but {keys}')
    backbone, left_out = _single_out(tensors)
    about = content if state_dict is not content else {}
    epoch, note = about.get('epoch'), about.get('note')
    return BackboneFile(
        path,
        backbone,
        recognise(backbone),
        left_out,
        epoch if isinstance(epoch, int) else None,
        note if isinstance(note, str) else None,
    )


def check_fit(file: BackboneFile, module: nn.Module) -> None:
    """Hold a backbone file against a backbone, tensor by tensor.

    Args:
        file (BackboneFile): from :func:`open_backbone`.
        module (nn.Module): the backbone; its values are not read, so it may be on ``'meta'``.

    Raises:
        CheckpointError: naming both families and the change of config that mends it, or the
            tensors that are missing, left over, of another shape or unusable as weights.
    """
    expected = module.state_dict()
    wanted = recognise(expected)
    if file.family != wanted:
        raise CheckpointError(_other_family(file, wanted))
    required = {name for name in expected if not name.endswith(STEP_COUNTER)}
    problems = {
        'missing': sorted(required - file.tensors.keys()),
        'left over': sorted(file.tensors.keys() - expected.keys()),
        'of another shape': [
            f'{name} {tuple(tensor.shape)} instead of {tuple(expected[name].shape)}'
            for name, tensor in file.tensors.items()
            if name in expected and tensor.shape != expected[name].shape
        ],
        'unusable': [
            f'{name}, {fault}'
            for name, tensor in file.tensors.items()
            if (fault := _fault(name, tensor))
        ],
    }
    found = [
        f'{len(names)} {problem} (first: {names[0]})'
        for problem, names in problems.items()
        if names
    ]
    if found:
        raise CheckpointError(
            f'{file.path} ({file.family.name}) does not fit the backbone of {len(expected)} '
            f'tensors: {"; ".join(found)}. Nothing was loaded. Get the whole file of a '
            f'{wanted.name}.'
        )


def _single_out(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Split into the backbone's tensors, without prefix, and a count of the others by part."""
    prefix = 'backbone.' if any(name.startswith('backbone.') for name in tensors) else ''
    backbone = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and not name.startswith(CLASSIFIERS)
    }
    left_out = Counter(
        name.split('.')[0] for name in tensors if name.removeprefix(prefix) not in backbone
    )
    return backbone, dict(left_out)


def _fault(name: str, tensor: Tensor) -> str | None:
    """What keeps a tensor from being weights."""
    if tensor.layout is not torch.strided or tensor.is_meta:
        return 'no dense tensor'
    if name.endswith(STEP_COUNTER):
        return None
    if not tensor.is_floating_point():
        return f'{tensor.dtype} instead of floating point'
    if not torch.isfinite(tensor).all():
        return 'not finite'
    return 'negative' if name.endswith('running_var') and (tensor < 0).any() else None


def _left_out_text(left_out: dict[str, int]) -> str:
    if not left_out:
        return ''
    return ', left out ' + ', '.join(f'{part} ({count})' for part, count in left_out.items())


def _other_family(file: BackboneFile, wanted: Family) -> str:
    text = (
        f'{file.path} holds {file.family.name} ({len(file.tensors)} tensors), but the config asks '
        f'for {wanted.name}. Nothing was loaded. '
    )
    if file.family.config:
        return text + (
            f'Either set backbone=dict({file.family.config}, ...) in the config, or point '
            f'init_cfg.checkpoint at a {wanted.name} file.'
        )
    hint = f'Point init_cfg.checkpoint at a {wanted.name} file.'
    if file.family.name.startswith('DRN'):
        hint = (
            'The checkpoints that ClearGrasp released (mask, outlines, normals) are DRN-D-54: a '
            'ResNet cannot read them, and this version has no DRN backbone. ' + hint
        )
    return text + hint
