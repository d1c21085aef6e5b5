"""Writing files so that they are there whole or not at all, whatever ends the process."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write beside the target, then rename.

    Args:
        path: The file; its folder is made where needed, an older file replaced.
        content: All of it.

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
    with open_atomically(path) as file:
        file.write(content)
    return Path(path)


@contextmanager
def open_atomically(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to write; it takes its name at the end, if nothing fails.

    Args:
        path: The file; its folder is made where needed, an older file replaced.

    Yields:
        A file open in binary mode.

    Raises:
        OSError: As :func:`write_atomically`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix='.', suffix='.partial')
    try:
        with os.fdopen(handle, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(draft, 0o666 & ~umask)  # mkstemp's files are for their owner alone
        os.replace(draft, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)
        raise


def write_json(path: str | Path, content: Any, indent: int | None = 2) -> Path:
    """Write JSON by :func:`write_atomically`, in UTF-8.

    Bytes of file names that are no UTF-8 are escaped, and Python reads the same name again.

    Args:
        path: The file.
        content: Of JSON's types.
        indent: As in ``json.dumps``; ``None`` puts all on one line.

    Returns:
        The file.
    """
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    return write_atomically(path, f'{text}\n'.encode(errors='backslashreplace'))
