"""Read the tensors of a checkpoint file by name, and compare them with those of a module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..utils.errors import CheckpointError
from .packages import local_path
from .reading import read_checkpoint

# Keys of the state dict in files of ClearGrasp, MMDetection and torchvision's training scripts. The
# files that torchvision publishes are a state dict themselves.
STATE_DICT_KEYS = ('model_state_dict', 'state_dict', 'model')
# Counter of batch norm, which is optional: files from before torch 0.4.1 and torchvision's frozen
# batch norms lack it, and inference does not use it.
STEP_COUNTER = 'num_batches_tracked'
# Epsilon of MMDetection's batch norm.
BATCH_NORM_EPS = 1e-5


@dataclass(frozen=True)
class StateDictFile:
    """The state dict in a checkpoint file.

    Attributes:
        path: Path of the file.
        tensors: Tensors by name, without the prefix ``module.``.
        about: Other entries of the file, such as ``epoch`` and ``meta``.
    """

    path: Path
    tensors: dict[str, Tensor]
    about: dict[str, object]


def read_state_dict(path: str | Path, source: str | None = None) -> StateDictFile:
    """Read the state dict in a checkpoint file.

    Args:
        path: Local file, or ``'package:NAME'`` for the file in an installed package.
        source: Where to get the file, for the message if it does not exist.

    Raises:
        CheckpointError: The file cannot be read, holds no tensors by name, or is a Caffe-style
            ResNet, which no config of this plugin supports.
    """
    path = local_path(path)
    content = read_checkpoint(path, source=source)
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
    about = {} if state_dict is content else {str(k): v for k, v in content.items()}
    _refuse_caffe_style(path, about)
    return StateDictFile(path, tensors, about)


def is_torchvision_detector(tensors: Mapping[str, Tensor]) -> bool:
    """Whether tensors have the names of torchvision's detectors.

    Args:
        tensors: State dict of a file.
    """
    return any(name.startswith('backbone.body.') for name in tensors)


def with_batch_norm_eps(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert frozen batch norms with an epsilon of 0 to MMDetection's epsilon of 1e-5.

    torchvision trained its COCO detectors with an epsilon of 0 and runs them with it; a state dict
    does not contain the epsilon. Scaling the weight compensates for the difference, so the output
    is the same.

    Args:
        tensors: State dict of a detector, with torchvision's names.

    Returns:
        All tensors, with scaled weights in batch norms without ``num_batches_tracked``. Batch norms
        with it were trained again, with an epsilon of 1e-5, and are unchanged.

    Example:
        >>> norm = {'bn.weight': torch.ones(1), 'bn.running_var': torch.full((1,), 1e-5)}
        >>> with_batch_norm_eps(norm)['bn.weight']
        tensor([1.4142])
    """
    changed = dict(tensors)
    for name, variance in tensors.items():
        norm = name.removesuffix('.running_var')
        weight = tensors.get(f'{norm}.weight')
        if norm == name or weight is None or f'{norm}.{STEP_COUNTER}' in tensors:
            continue
        factor = torch.sqrt((variance.double() + BATCH_NORM_EPS) / variance.double())
        factor = torch.where(variance > 0, factor, torch.ones_like(factor))
        changed[f'{norm}.weight'] = (weight.double() * factor).to(weight.dtype)
    return changed


def find_problems(tensors: Mapping[str, object], expected: Mapping[str, Tensor]) -> list[str]:
    """Compare the tensors of a file with those that a module expects.

    Args:
        tensors: State dict of a file.
        expected: State dict of a module; only names, shapes and types are used.

    Returns:
        One text per kind of problem with the number of tensors and an example: missing,
        unexpected, of another shape, or unusable as weights. Empty if all tensors fit.

    Example:
        >>> find_problems({'a': torch.ones(2)}, {'a': torch.ones(3), 'b': torch.ones(1)})
        ['1 missing (first: b)', '1 of another shape (first: a (2,) instead of (3,))']
    """
    required = {name for name in expected if not name.endswith(STEP_COUNTER)}
    problems = {
        'missing': sorted(required - tensors.keys()),
        'unexpected': sorted(tensors.keys() - expected.keys()),
        'of another shape': [
            f'{name} {tuple(tensor.shape)} instead of {tuple(expected[name].shape)}'
            for name, tensor in tensors.items()
            if name in expected and isinstance(tensor, Tensor)
            if tensor.shape != expected[name].shape
        ],
        'unusable': [
            f'{name}, {fault}'
            for name, tensor in tensors.items()
            if (fault := _fault(name, tensor, expected.get(name)))
        ],
    }
    return [
        f'{len(names)} {problem} (first: {names[0]})'
        for problem, names in problems.items()
        if names
    ]


def _fault(name: str, tensor: object, expected: Tensor | None) -> str | None:
    """Return why a value cannot be a weight or an integer buffer; ``None`` if it can."""
    if not isinstance(tensor, Tensor):
        return f'a {type(tensor).__name__} instead of a tensor'
    if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized:
        return 'not a dense tensor'
    if any(step == 0 for size, step in zip(tensor.shape, tensor.stride(), strict=True) if size > 1):
        return 'one number expanded to a tensor (stride 0)'
    if name.endswith(STEP_COUNTER):
        return None
    if expected is not None and tensor.dtype == expected.dtype == torch.int64:
        return None
    if not tensor.is_floating_point():
        return f'{tensor.dtype} instead of floating point'
    if not torch.isfinite(tensor.float()).all():
        return 'not finite (NaN or infinity)'
    return 'negative' if name.endswith('running_var') and (tensor < 0).any() else None


def _refuse_caffe_style(path: Path, about: Mapping[str, object]) -> None:
    """Refuse Caffe-style ResNets. Their config shows it; their tensors have the same names."""
    meta = about.get('meta')
    text = (meta.get('cfg') or meta.get('config')) if isinstance(meta, Mapping) else None
    if isinstance(text, str) and re.search(r"""style=["']caffe["']""", text):
        raise CheckpointError(
            f'{path} is a Caffe-style ResNet, which has its strides in other layers and expects '
            'BGR images with another mean: this plugin has no such backbone. Use the file without '
            '"caffe" in its name.'
        )
