"""Folder layout of datasets, and atomic writing of files."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kind:
    """A kind of file in ClearGrasp's layout.

    Args:
        folder: Folder of all files of this kind, inside the split's folder.
        ending: End of the file name, after the image's number.

    Example:
        >>> Kind('rgb-imgs', '-rgb.jpg').path(Path('plates/train'), 7).as_posix()
        'plates/train/rgb-imgs/000000007-rgb.jpg'
    """

    folder: str
    ending: str

    def path(self, split: Path, index: int) -> Path:
        """Path of an image's file.

        Args:
            split: Folder of the split.
            index: Index of the image in the split.
        """
        return split / self.folder / f'{index:09d}{self.ending}'


KINDS = {
    'rgb': Kind('rgb-imgs', '-rgb.jpg'),
    'mask': Kind('segmentation-masks', '-segmentation-mask.png'),
    'outlines': Kind('outlines', '-outlineSegmentation.png'),
    'normals': Kind('camera-normals', '-cameraNormals.exr'),
    'depth': Kind('depth-imgs-rectified', '-depth-rectified.exr'),
}
"""ClearGrasp's folders and file names, by content."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file atomically: it is complete or missing, even if the process is killed.

    Args:
        path: The file, which is replaced if it exists; its folder is created if missing.
        content: Content of the file.

    Raises:
        OSError: If the file cannot be written, for example on a full disk; an existing file is
            unchanged then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'.{secrets.token_hex(6)}.partial')
    try:
        _write_draft(draft, content)
        os.replace(draft, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(draft)
        if isinstance(error, OSError) and error.errno:  # the message would name the draft
            error.filename, error.filename2 = str(path), None
        raise


def _write_draft(draft: Path, content: bytes) -> None:
    """Write a file that gets its name when it is complete, so that a killed process leaves none.

    On file systems without unnamed files (O_TMPFILE), such as NFS, and on systems without /proc,
    the file has its name from the start.
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
            # src_dir_fd, ignored for absolute paths, makes Python call linkat, which follows links.
            os.link(f'/proc/self/fd/{handle}', draft, src_dir_fd=handle)
