"""File locks that prevent two processes from writing to the same folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import ConfigError
from .regular_files import open_regular_file


class FolderInUseError(ConfigError):
    """Another process is writing to the folder."""


@contextlib.contextmanager
def lock_folder(folder: str | Path, name: str = '.lock') -> Iterator[IO[str]]:
    """Lock a folder while this process writes to it.

    The operating system (on NFS, the server) releases the lock when the process ends, also after a
    crash. The lock file remains and names the last process. Where the file system does not support
    locks, a warning is printed.

    Args:
        folder: Folder to lock; created if needed.
        name: Name of the lock file in the folder.

    Yields:
        The open lock file. A child process that inherits it also holds the lock.

    Raises:
        FolderInUseError: Another process holds the lock; the message names it.
        ConfigError: The lock file is not a regular file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, lock_folder(folder):
        ...     with lock_folder(folder):
        ...         pass
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.locks.FolderInUseError: ...is in use by process ...
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / name
    with open_regular_file(place) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or 'another process'
            raise FolderInUseError(
                f'{folder} is in use by {holder}. Wait until it ends, or use another folder'
            ) from error
        except OSError as error:
            # Some network file systems do not support locks.
            print(f'warning: {folder} cannot be locked ({error.strerror})', file=sys.stderr)
        file.truncate(0)
        started = time.strftime('%Y-%m-%d %H:%M')
        file.write(f'process {os.getpid()} on {os.uname().nodename} since {started}')
        file.flush()
        yield file
