"""Writing files atomically, whatever ends the process."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from .errors import ConfigError


def write_atomically(path: str | Path, content: bytes, sync: bool = True) -> Path:
    """Write beside the target, then rename.

    Args:
        path: The file; its folder is made where needed, an older file replaced.
        content: All of it.
        sync: As for :func:`open_atomically`.

    Returns:
        The file.

    Raises:
        OSError: Disk full, no permission and the like; an older file is then as it was.

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
    """Open a file to write; it gets its name at the end, if nothing fails.

    Args:
        path: The file; its folder is made where needed, an older file replaced.
        sync: Wait until the disk has the content, so that it survives a power failure too.

    Yields:
        A file open in binary mode.

    Raises:
        OSError: As :func:`write_atomically`.
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
                del error.filename2  # None would be printed
        raise


def write_json(path: str | Path, content: Any, indent: int | None = 2) -> Path:
    """Write JSON by :func:`write_atomically`, in UTF-8.

    Bytes of file names that are not UTF-8 are escaped, so that Python reads the same name.

    Args:
        path: The file.
        content: Of JSON's types.
        indent: As in ``json.dumps``; ``None`` puts all on one line.

    Returns:
        The file.
    """
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    return write_atomically(path, f'{text}\n'.encode(errors='backslashreplace'))


def refuse_unwritable(path: str | Path, option: str) -> None:
    """Refuse a file that cannot be written, before expensive work.

    Args:
        path: The file to write.
        option: Its name on the command line, for the message.

    Raises:
        ConfigError: It is a folder, or its folder cannot be written to.

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
    """A file without a name until it is complete, so that a killed process leaves none.

    File systems without such files, as NFS, get one with a name, and so do systems without /proc,
    which is needed to name it.
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
            # With a directory, which an absolute path ignores, Python calls the system's linkat.
            os.link(f'/proc/self/fd/{handle}', draft, src_dir_fd=handle)
