"""Writing folders so that they are there whole or not at all, whatever ends the process."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from .locks import FolderInUseError, lock_folder


@contextlib.contextmanager
def draft_folder(out: Path) -> Iterator[Path]:
    """Provide a place beside a folder to write its content to, and remove what is left there.

    Args:
        out: The folder that is to be written.

    Yields:
        A path that does not exist, also after a process was killed. Create a folder there, and
        rename it to ``out`` once it is complete.

    Raises:
        FolderInUseError: Another process writes the same folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     out = Path(folder) / 'out'
        ...     with draft_folder(out) as draft:
        ...         draft.mkdir()
        ...         _ = draft.replace(out)
        ...     [path.name for path in Path(folder).iterdir()]
        ['out']
    """
    place = out.with_name(f'.{out.name}.partial')
    try:
        with lock_folder(place):
            draft = place / 'draft'
            shutil.rmtree(draft, ignore_errors=True)
            yield draft
    except FolderInUseError:
        raise
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(place, ignore_errors=True)
