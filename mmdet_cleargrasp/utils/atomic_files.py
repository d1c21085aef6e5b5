"""Write files atomically: complete or not at all, even if the process is killed."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from .errors import ConfigError

#: Errors of writing to a disk that is full, or to a full share of it.
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_atomically(path: str | Path, content: bytes, sync: bool = True) -> Path:
    """Write a file atomically: to a temporary file in the same folder, which is then renamed.

    Args:
        path: File to write. Its folder is created if needed, and an existing file is replaced.
        content: Content of the file.
        sync: As in :func:`open_atomically`.

    Returns:
        Path of the file.

    Raises:
        OSError: The file cannot be written, such as on a full disk; an existing file is unchanged.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder) / 'new' / 'a.txt', b'whole').read_bytes()
        b'whole'
    """
    with open_atomically(path, sync) as file:
        file.write(content)
    return Path(path)


@contextmanager
def open_atomically(path: str | Path, sync: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name when the ``with`` block ends.

    If the block raises an exception, nothing is written and an existing file is unchanged.

    Args:
        path: File to write. Its folder is created if needed, and an existing file is replaced.
        sync: Wait until the content is on the disk, so that it survives a power failure too.

    Yields:
        File object in binary mode.

    Raises:
        OSError: The file cannot be written; the error names ``path``, not the temporary file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / 'a.txt'
        ...     with open_atomically(path) as file:
        ...         _ = file.write(b'first')
        ...         print(path.exists())
        ...     print(path.exists())
        False
        True
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'.{secrets.token_hex(6)}.partial')
    try:
        with _draft(draft, sync) as file:
            yield file
        os.replace(draft, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(draft)
        if isinstance(error, OSError) and error.errno:
            names = (error.filename, error.filename2)
            if names == (None, None) or str(draft) in map(str, names):
                error.filename = str(path)
                del error.filename2  # None would be part of the message
        raise


def write_json(path: str | Path, content: Any, indent: int | None = 2) -> Path:
    """Write JSON atomically, in UTF-8.

    Bytes of file names that are not UTF-8 are escaped, so that reading restores the same name.

    Args:
        path: File to write, as in :func:`write_atomically`.
        content: Value that ``json.dumps`` accepts.
        indent: Number of spaces, as in ``json.dumps``; ``None`` writes a single line.

    Returns:
        Path of the file.

    Raises:
        OSError: The file cannot be written.
    """
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    return write_atomically(path, f'{text}\n'.encode(errors='backslashreplace'))


def refuse_unwritable(path: str | Path, option: str) -> None:
    """Check before expensive work that a file can be written.

    Args:
        path: File to write.
        option: Name of the command-line option, for the message.

    Raises:
        ConfigError: The path is a folder, or its folder cannot be written to.

    Example:
        >>> refuse_unwritable('docs', '--out')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.ConfigError: --out docs is a folder, expected a file
    """
    path = Path(path).absolute()
    try:
        if path.is_dir():
            raise ConfigError(f'{option} {path.name} is a folder, expected a file')
        existing = next(folder for folder in path.parents if folder.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            raise ConfigError(f'{option} {path}: {existing} is not a folder that you may write to')
    except OSError as error:
        raise ConfigError(f'{option} {path} cannot be written: {error.strerror}') from error


@contextmanager
def _draft(draft: Path, sync: bool) -> Iterator[BinaryIO]:
    """Open a temporary file that has no name until it is complete (Linux's ``O_TMPFILE``).

    A killed process therefore leaves no file behind. The file has a name from the start where the
    file system does not support ``O_TMPFILE``, such as NFS, or where there is no /proc, which is
    needed to name it.
    """
    handle = None
    if os.path.isdir('/proc/self/fd'):
        with suppress(AttributeError, OSError):
            handle = os.open(draft.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
    nameless = handle is not None
    if handle is None:
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    with os.fdopen(handle, 'wb') as file:
        yield file
        file.flush()
        if sync:
            os.fsync(file.fileno())
        if nameless:
            # An absolute path ignores src_dir_fd, but with it Python calls linkat, which follows
            # the link in /proc; link does not.
            os.link(f'/proc/self/fd/{handle}', draft, src_dir_fd=handle)
