"""From a checkpoint file to tensors by name, whoever wrote it, and what is wrong with them."""

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

# Where files keep their tensors: ClearGrasp's, MMDetection's, and those of torchvision's training
# scripts; the files that torchvision publishes have no wrapper.
STATE_DICT_KEYS = ('model_state_dict', 'state_dict', 'model')
# Batch norm's step counter: files from before torch 0.4.1 and frozen batch norms lack it, and
# running statistics don't use it.
STEP_COUNTER = 'num_batches_tracked'
# The constant that MMDetection's batch norm adds to the variance.
BATCH_NORM_EPS = 1e-5


@dataclass(frozen=True)
class StateDictFile:
    """A checkpoint file's tensors.

    Attributes:
        path: The file.
        tensors: By name, without ``module.``.
        about: What the file says beside them, such as ``epoch`` and ``meta``.
    """

    path: Path
    tensors: dict[str, Tensor]
    about: dict[str, object]


def read_state_dict(path: str | Path, source: str | None = None) -> StateDictFile:
    """Read a checkpoint file and unwrap its tensors.

    Args:
        path: The local file, or ``'package:NAME'``.
        source: Where to get the file, for the message where it is absent.

    Raises:
        CheckpointError: The file cannot be read, holds no tensors of a network, or belongs to an
            input that no config of this plugin has (a Caffe-style backbone).
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
    """Whether names are those of torchvision's detectors."""
    return any(name.startswith('backbone.body.') for name in tensors)


def with_batch_norm_eps(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rewrite frozen batch norms that add nothing to the variance for one that adds 1e-5.

    torchvision's COCO detectors were trained, and are run by torchvision, with a constant of 0,
    which a state dict does not say. The weight takes up the difference, so that the output stays.

    Args:
        tensors: Of a detector as torchvision publishes it.

    Returns:
        All tensors, with new weights where batch norms have no step counter.
        Those that count were trained again, with torch's usual constant, and stay.

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
        tensors: Of a file.
        expected: Of a module; values are not read.

    Returns:
        How many are missing, left over, of another shape or unusable as weights, with an example
        each; empty where all fit.

    Example:
        >>> find_problems({'a': torch.ones(2)}, {'a': torch.ones(3), 'b': torch.ones(1)})
        ['1 missing (first: b)', '1 of another shape (first: a (2,) instead of (3,))']
    """
    required = {name for name in expected if not name.endswith(STEP_COUNTER)}
    problems = {
        'missing': sorted(required - tensors.keys()),
        'left over': sorted(tensors.keys() - expected.keys()),
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
    """Why a value cannot be weights, or a table of indices where a model has one."""
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
    """Refuse Caffe-style files, recognized by the config inside; tensor names do not show it."""
    meta = about.get('meta')
    text = (meta.get('cfg') or meta.get('config')) if isinstance(meta, Mapping) else None
    if isinstance(text, str) and re.search(r"""style=["']caffe["']""", text):
        raise CheckpointError(
            f'{path} is a Caffe-style ResNet, which has its strides in other layers and expects '
            'BGR with another mean: this plugin has no such backbone. Use the file without '
            '"caffe" in its name.'
        )
