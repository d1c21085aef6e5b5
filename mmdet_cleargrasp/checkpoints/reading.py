"""Read checkpoint files safely: no code in them is executed, and damage is detected."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from ..utils.errors import CheckpointError
from .archives import DamagedFileError, read_archive

COPY_AGAIN = 'Copy or download it again and compare sizes.'


def read_checkpoint(path: str | Path, source: str | None = None) -> Any:
    """Read a checkpoint's tensors and plain values.

    Args:
        path: Local file written by ``torch.save``.
        source: Where to get the file, for the message if it does not exist.

    Returns:
        The saved object, usually a dict; tensors are on the CPU and do not require gradients.

    Raises:
        CheckpointError: The file does not exist, is empty, truncated or damaged, is not a
            checkpoint, or holds something other than tensors and plain values (none of it is
            executed).

    Example:
        >>> read_checkpoint('checkpoints/none.pth')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.CheckpointError: no checkpoint at checkpoints/none.pth (...
    """
    path = Path(path).expanduser()
    _check_is_file(path, source)
    try:
        return read_archive(path)
    except UnpicklingError as error:
        raise CheckpointError(_refused(path, str(error))) from error
    except (DamagedFileError, zipfile.BadZipFile) as error:
        raise CheckpointError(f'{path} is damaged: {error}. {COPY_AGAIN}') from error
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error.strerror or error}') from error
    except MemoryError:
        raise
    except Exception as error:  # a malformed pickle can raise many types
        raise CheckpointError(
            f'{path} ({path.stat().st_size:,} bytes) cannot be read as a checkpoint '
            f'({type(error).__name__}: {_first_line(error)}). If it is one, it is probably '
            f'truncated or damaged. {COPY_AGAIN}'
        ) from error


def load_from_local(filename: str, map_location: object = None) -> Any:
    """Call :func:`read_checkpoint` with the signature of mmengine's function of this name.

    Args:
        filename: Local file.
        map_location: Not used: mmengine copies the tensors to the device of the model.

    Returns:
        The saved object.

    Raises:
        CheckpointError: As :func:`read_checkpoint`.
    """
    return read_checkpoint(filename)


def _check_is_file(path: Path, source: str | None) -> None:
    if path.is_dir():
        raise CheckpointError(f'{path} is a folder, expected a checkpoint file inside it')
    if not path.exists():
        raise CheckpointError(
            f'no checkpoint at {path} (looked from {Path.cwd()}). Put the file there, or set '
            'another path.' + (f' Source: {source}' if source else '')
        )
    if not path.is_file():
        raise CheckpointError(f'{path} is not a regular file, expected a checkpoint')
    if not path.stat().st_size:
        raise CheckpointError(f'{path} is empty (0 bytes). Copy it again.')


def _refused(path: Path, message: str) -> str:
    unsupported = re.search(r'UNSUPPORTED (.+)', message)
    if unsupported:
        return (
            f'{path} holds {unsupported[1]}, expected dense tensors of numbers. Save the plain '
            'state_dict where it was made, with torch.save.'
        )
    wanted = re.search(r'GLOBAL (.+?)(?: is not allowed)?$', message)
    if not wanted:
        return (
            f'{path} is not a checkpoint written by torch ({message}); nothing of it was executed.'
        )
    return (
        f'{path} holds or asks to run {wanted[1]!r}, which no checkpoint of weights needs; '
        'refused, and nothing of it was executed. If you trust its author, save its state_dict '
        'alone with torch.save where it was made.'
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else 'no details'
