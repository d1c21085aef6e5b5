"""Write folders atomically: a folder is complete or absent, even if the process is killed."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from .locks import FolderInUseError, lock_folder


@contextlib.contextmanager
def draft_folder(out: Path) -> Iterator[Path]:
    """Provide a temporary path next to a folder, to create the folder there and then rename it.

    Args:
        out: Folder to write.

    Yields:
        Path that does not exist; what a killed process left there is removed. Create a folder at
        this path, and rename it to ``out`` when it is complete.

    Raises:
        FolderInUseError: Another process is writing the same folder.

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
