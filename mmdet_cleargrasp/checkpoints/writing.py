"""Write checkpoint files atomically, with nothing in them but a backbone or a detector."""

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
    """Return the content of a checkpoint file with a backbone only.

    Args:
        file: Backbone from :func:`.open_backbone`.
        half: Convert floating-point tensors to 16 bits (float16), except those with values beyond
            its range. Loading converts them back to 32 bits.

    Returns:
        Dict with ``model_state_dict`` and, if the file has them, ``note``, ``epoch`` and
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
    """Return the content of a checkpoint file with a detector only, without optimizer and log.

    Args:
        path: Checkpoint written by ``tools/train.py``.
        half: As in :func:`plain_backbone`.

    Returns:
        Dict with ``state_dict`` and ``meta``, which has the classes.

    Raises:
        CheckpointError: The file cannot be read, has no ``state_dict``, or names no classes.
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
    """Save an object with ``torch.save``, atomically.

    Args:
        content: Object that ``torch.save`` accepts.
        path: File to write; its folder is created if needed.

    Returns:
        Path of the file.

    Raises:
        OSError: The file cannot be written; an existing file is unchanged.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     read_checkpoint(save_atomically({'epoch': 3}, Path(folder) / 'a.pth'))
        {'epoch': 3}
    """
    return write_atomically(path, to_bytes(content))


def to_bytes(content: Any) -> bytes:
    """Return the bytes that ``torch.save`` writes for an object.

    Args:
        content: Object that ``torch.save`` accepts.
    """
    with io.BytesIO() as buffer:
        torch.save(content, buffer)
        return buffer.getvalue()
