"""Lets mmengine write checkpoints and other files atomically.

mmengine writes directly to the final path, so a run that is killed meanwhile, or runs out of disk
space, leaves a truncated checkpoint. Unnecessary once mmengine's ``LocalBackend`` writes to a
temporary file and renames it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..utils.atomic_files import write_atomically


@contextlib.contextmanager
def write_local_files_atomically() -> Iterator[None]:
    """Let mmengine write local files by :func:`.write_atomically` inside a ``with`` block."""
    from mmengine.fileio import LocalBackend, register_backend

    class WholeFileBackend(LocalBackend):
        """mmengine's backend for local files, which writes each of them atomically."""

        def put(self, obj: bytes, filepath: str) -> None:
            write_atomically(filepath, obj)

    register_backend('local', WholeFileBackend, force=True, prefixes='')
    try:
        yield
    finally:
        register_backend('local', LocalBackend, force=True, prefixes='')
