"""Read and open files that must be regular files, not pipes or devices."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TextIO

from .errors import ConfigError


def read_regular_file(path: str | Path) -> bytes:
    """Read a file that must not be a pipe or device, which could block or never end.

    Args:
        path: File to read; a symbolic link to a regular file is accepted.

    Returns:
        Content of the file.

    Raises:
        OSError: The file cannot be opened, or is not a regular file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, 'Not a regular file', str(path))
    return Path(path).read_bytes()


def open_regular_file(path: Path) -> TextIO:
    """Open a text file for reading and appending; it is created if needed.

    Symbolic links are refused: in a folder that other users can write to, a link could point to any
    file of this user, which would then be modified. Pipes and devices are refused too.

    Args:
        path: File to open.

    Returns:
        File object in mode ``'a+'``, in UTF-8.

    Raises:
        ConfigError: The path is not a regular file.
        OSError: The file cannot be opened, such as without permission or on a full disk.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise
        raise ConfigError(f'{path} is not a regular file: remove it') from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ConfigError(f'{path} is not a regular file: remove it')
    return os.fdopen(handle, 'a+', encoding='utf-8', errors='replace')
