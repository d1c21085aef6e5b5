"""Writing checkpoint files, each whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from ..utils.atomic_files import write_atomically
from ..utils.errors import CheckpointError
from .loading import BackboneFile
from .reading import read_checkpoint
from .trained import trained_classes


def plain_backbone(file: BackboneFile, half: bool = False) -> dict[str, Any]:
    """The content of a file that holds one backbone and nothing else.

    Args:
        file: From :func:`.open_backbone`.
        half: Floating-point numbers in 16 bits; loading turns them back into 32. Numbers
            beyond what 16 bits hold stay as they are.

    Returns:
        ``model_state_dict`` and, where the file says them, ``note``, ``epoch`` and
        ``trained_stride``.
    """
    tensors = {n: _halved(t) if half else t for n, t in file.tensors.items()}
    content: dict[str, Any] = {'model_state_dict': tensors}
    if file.note:
        content['note'] = file.note
    if file.epoch is not None:
        content['epoch'] = file.epoch
    if file.trained_stride is not None:
        content['trained_stride'] = file.trained_stride
    return content


def plain_detector(path: str | Path, half: bool = False) -> dict[str, Any]:
    """The content of a file that holds one trained detector and nothing else.

    Args:
        path: What ``tools/train.py`` wrote.
        half: As for :func:`plain_backbone`.

    Returns:
        ``state_dict``, and ``meta`` with the classes; no optimizer and no log.

    Raises:
        CheckpointError: The file cannot be read, or names no classes.
    """
    content = read_checkpoint(path)
    if not isinstance(content, dict) or not isinstance(content.get('state_dict'), dict):
        raise CheckpointError(f"{path} has no state_dict: expected a detector's checkpoint")
    classes = trained_classes(path, content)
    if not classes:
        raise CheckpointError(f'{path} names no classes: expected a checkpoint of tools/train.py')
    tensors = {n: _halved(t) if half else t for n, t in content['state_dict'].items()}
    return {'meta': {'dataset_meta': {'classes': list(classes)}}, 'state_dict': tensors}


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    small = tensor.half() if tensor.is_floating_point() else tensor
    return small if torch.isfinite(small).all() else tensor


def save_atomically(content: Any, path: str | Path) -> Path:
    """Save with ``torch.save``: the file is whole or not there.

    Args:
        content: What ``torch.save`` takes.
        path: The file; its folder is made where needed.

    Returns:
        The file.
    """
    return write_atomically(path, to_bytes(content))


def to_bytes(content: Any) -> bytes:
    """Bytes that ``torch.save`` writes."""
    with io.BytesIO() as buffer:
        torch.save(content, buffer)
        return buffer.getvalue()
