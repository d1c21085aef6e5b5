"""A temporary folder that only this user can read, removed even after a crash."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from ..utils.locks import FolderInUseError, lock_folder

#: Prefix of the names of the folders.
PREFIX = 'plates_page_'


@contextlib.contextmanager
def private_folder(parent: str | Path | None = None) -> Iterator[Path]:
    """Create a folder with mode 0700, and remove it at the end of the ``with`` block.

    Folders that earlier processes left (after SIGKILL or a power failure) are removed first. A
    folder that is still in use has a lock.

    Args:
        parent: Folder to create it in; the system's folder for temporary files by default.

    Yields:
        Path of the folder.

    Example:
        >>> with private_folder() as folder:
        ...     oct(folder.stat().st_mode & 0o777)
        '0o700'
        >>> folder.exists()
        False
    """
    parent = Path(parent or tempfile.gettempdir())
    _remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        with lock_folder(folder):
            yield folder
    finally:
        with ignored_signals():
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def ignored_signals() -> Iterator[None]:
    """Ignore Ctrl-C, SIGTERM and SIGHUP during a ``with`` block; has no effect in other threads.

    Used for removing files, which a second signal must not interrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f'{PREFIX}*'):
        with contextlib.suppress(OSError, FolderInUseError):
            status = folder.lstat()
            # Without a lock file, the folder is just being created by another process.
            ours = folder.is_dir() and not folder.is_symlink() and status.st_uid == os.getuid()
            if ours and (folder / '.lock').is_file():
                with lock_folder(folder):
                    shutil.rmtree(folder, ignore_errors=True)
