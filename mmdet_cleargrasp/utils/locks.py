"""Keeping two runs from writing to one folder."""

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
    """Another process writes to the folder."""


@contextlib.contextmanager
def lock_folder(folder: str | Path, name: str = '.lock') -> Iterator[IO[str]]:
    """Hold a folder while this process writes to it.

    The operating system releases the lock when the process ends, however it ends, so that a crash
    leaves nothing to remove; on NFS the server does. The file stays, and says who had it last.

    Args:
        folder: Is made where needed.
        name: Of the lock's file in the folder.

    Yields:
        The open file. A child process that inherits it holds the lock too.

    Raises:
        FolderInUseError: Another process has it; the message names it.

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
            # A few network file systems have no locks at all.
            print(f'warning: {folder} cannot be locked ({error.strerror})', file=sys.stderr)
        file.truncate(0)
        started = time.strftime('%Y-%m-%d %H:%M')
        file.write(f'process {os.getpid()} on {os.uname().nodename} since {started}')
        file.flush()
        yield file
