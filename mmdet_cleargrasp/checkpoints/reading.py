"""Reading checkpoint files without running what they may carry."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import torch

from ..utils.errors import CheckpointError


def read_checkpoint(path: str | Path, map_location: Any = 'cpu', source: str | None = None) -> Any:
    """Read a checkpoint's tensors and plain values; refuse every other object unread.

    Args:
        path: A local file that ``torch.save`` wrote.
        map_location: As in ``torch.load``.
        source: Where to get the file, for the message where it is absent.

    Returns:
        What was saved, usually a dict.

    Raises:
        CheckpointError: No file, a folder, an empty or truncated file, no checkpoint at all, or a
            pickle that asks for anything but tensors and plain values (nothing of it is executed).

    Example:
        >>> read_checkpoint('checkpoints/none.pth')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.CheckpointError: no checkpoint at checkpoints/none.pth (...
    """
    path = Path(path).expanduser()
    _check_is_file(path, source)
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(_refused(path, str(error))) from error
    except (MemoryError, torch.cuda.OutOfMemoryError):
        raise
    except OSError as error:
        raise CheckpointError(f'{path} cannot be opened: {error}') from error
    except Exception as error:  # torch raises a dozen types on what is no checkpoint
        raise CheckpointError(
            f'{path} ({path.stat().st_size:,} bytes) cannot be read as a checkpoint '
            f'({type(error).__name__}: {_first_line(error)}). If it should be one, it is probably '
            'truncated: copy it again and compare sizes.'
        ) from error


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """:func:`read_checkpoint` under the name and signature of mmengine's loader of local files."""
    return read_checkpoint(filename, map_location)


def _check_is_file(path: Path, source: str | None) -> None:
    if path.is_dir():
        raise CheckpointError(f'{path} is a folder, expected a checkpoint file inside it')
    if not path.exists():
        raise CheckpointError(
            f'no checkpoint at {path} (looked from {Path.cwd()}). Put the file there, or name '
            'another.' + (f' Where it comes from: {source}.' if source else '')
        )
    if not path.stat().st_size:
        raise CheckpointError(f'{path} is empty (0 bytes). Copy it again.')


def _refused(path: Path, message: str) -> str:
    wanted = re.search(r"GLOBAL (\S+)|(?:class|function) '?([\w.]+)|<class '([\w.]+)'", message)
    if not wanted:
        return f'{path} is no checkpoint that torch wrote; nothing of it was executed.'
    name = next(group for group in wanted.groups() if group)
    return (
        f'{path} holds or asks to run {name!r}, which no checkpoint of weights needs; refused, and '
        'nothing of it was executed. If you trust its author, save its state_dict alone with '
        'torch.save where it was made.'
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else 'no details'
