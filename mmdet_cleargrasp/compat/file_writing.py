"""mmengine writes over its files, checkpoints above all, without a temporary one.

A run that is killed meanwhile, or whose disk is full, leaves half a checkpoint under its final
name.
Unnecessary once mmengine's ``LocalBackend`` writes and renames.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..utils.atomic_files import write_atomically


@contextlib.contextmanager
def local_files_written_whole() -> Iterator[None]:
    """Within it, mmengine writes local files by :func:`.write_atomically`."""
    from mmengine.fileio import LocalBackend, register_backend

    class WholeFileBackend(LocalBackend):
        """mmengine's files on disk, each written whole or not at all."""

        def put(self, obj: bytes, filepath: str) -> None:
            write_atomically(filepath, obj)

    register_backend('local', WholeFileBackend, force=True, prefixes='')
    try:
        yield
    finally:
        register_backend('local', LocalBackend, force=True, prefixes='')
