"""Where the files of a data set are, and how they are written."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kind:
    """One kind of picture in ClearGrasp's folder layout.

    Args:
        folder: Folder of all pictures of the kind, below the split's.
        ending: Of the file name, after the image's number.
    """

    folder: str
    ending: str

    def path(self, split: Path, index: int) -> Path:
        """File of an image, by its split's folder and its index."""
        return split / self.folder / f'{index:09d}{self.ending}'


KINDS = {
    'rgb': Kind('rgb-imgs', '-rgb.jpg'),
    'mask': Kind('segmentation-masks', '-segmentation-mask.png'),
    'outlines': Kind('outlines', '-outlineSegmentation.png'),
    'normals': Kind('camera-normals', '-cameraNormals.exr'),
    'depth': Kind('depth-imgs-rectified', '-depth-rectified.exr'),
}
"""ClearGrasp's folders and file names, by what is in them."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there complete or not at all, whatever ends the process.

    Args:
        path: The file; its folder is created where needed, an older file replaced.
        content: All of it.

    Raises:
        OSError: Disk full, no permission and the like; an older file is unchanged then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'.{secrets.token_hex(6)}.partial')
    try:
        _write_draft(draft, content)
        os.replace(draft, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(draft)
        if isinstance(error, OSError) and error.errno:  # it names the draft
            error.filename, error.filename2 = str(path), None
        raise


def _write_draft(draft: Path, content: bytes) -> None:
    """Write a file that has no name until it is whole, so that a killed process leaves none.

    File systems without such files, as NFS, get one with a name, and so do systems without /proc,
    which is needed to name it.
    """
    handle = None
    if os.path.isdir('/proc/self/fd'):
        with suppress(AttributeError, OSError):
            handle = os.open(draft.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
    nameless = handle is not None
    if handle is None:
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    with os.fdopen(handle, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        if nameless:
            # With a directory, which an absolute path ignores, Python calls the system's linkat.
            os.link(f'/proc/self/fd/{handle}', draft, src_dir_fd=handle)
