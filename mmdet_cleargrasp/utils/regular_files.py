"""Opening files of folders that others can write to."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TextIO

from .errors import ConfigError


def open_regular_file(path: Path) -> TextIO:
    """Open a text file to read, and to append to; it is made where needed.

    A link is refused: in a folder that others can write to, it could lead to any file of this user,
    which would then be changed. So are pipes and devices.

    Args:
        path: The file.

    Raises:
        ConfigError: Something else is there.
        OSError: No permission, a full disk and the like.
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
