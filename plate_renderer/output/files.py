"""Where the files of a data set are, and how they are written."""

from __future__ import annotations

import os
import tempfile
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
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix='.', suffix='.partial')
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(draft, 0o666 & ~umask)  # mkstemp's files are readable by their owner only
        os.replace(draft, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)
        raise
