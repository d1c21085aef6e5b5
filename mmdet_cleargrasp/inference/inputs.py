"""What a user names on a command line: files, folders, globs, videos, a camera."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ..datasets.images import IMAGE_SUFFIXES, is_url, read_image
from ..utils.errors import DataError

VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv')


@dataclass(frozen=True)
class Picture:
    """One image to come.

    Attributes:
        name: Of its own among all, relative, with ``/`` between folders.
        read: Gives uint8 (H, W, 3) in RGB order, or raises.
    """

    name: str
    read: Callable[[], np.ndarray]


@dataclass
class Inputs:
    """What was found in what a user named.

    Attributes:
        root: The folder that names start from.
        files: Images and videos, each once.
        cameras: Their numbers.
        left_out: What was met and is not looked at, and why.
    """

    root: Path = field(default_factory=Path)
    files: list[Path] = field(default_factory=list)
    cameras: list[int] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)

    def name(self, path: Path) -> str:
        """A file's name among the inputs."""
        return path.absolute().relative_to(self.root).as_posix()


def find_inputs(arguments: Sequence[str | Path]) -> Inputs:
    """Find images and videos without leaving what was named, and without the network.

    A folder is searched with its folders; a link in it that leads out of it is left out, and so are
    hidden files. A file that was named itself is taken whatever its name.

    Args:
        arguments: Files, folders, globs (quoted), numbers of cameras.

    Raises:
        DataError: A URL, nothing there, or no image in all of it.

    Example:
        >>> find_inputs(['https://example.org/plate.jpg'])
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.DataError: https://example.org/plate.jpg is a URL, and ...
    """
    inputs = Inputs()
    for argument in map(str, arguments):
        path = Path(argument)
        if is_url(argument):
            raise DataError(f'{argument} is a URL, and nothing is fetched: download it first')
        if path.is_dir():
            _add_folder(inputs, path)
        elif path.exists():
            inputs.files.append(path)
        elif argument.isdigit():
            inputs.cameras.append(int(argument))
        elif glob.has_magic(argument):
            _add_glob(inputs, argument)
        else:
            raise DataError(f'nothing at {argument} (looked from {Path.cwd()})')
    # The same file may be named several times, by several ways.
    inputs.files = list({path.resolve(): path for path in inputs.files}.values())
    if not inputs.files and not inputs.cameras:
        suffixes = ', '.join(IMAGE_SUFFIXES + VIDEO_SUFFIXES)
        raise DataError(
            f'no image in {", ".join(map(str, arguments))}: looked for names that end in {suffixes}'
        )
    if inputs.files:
        inputs.root = Path(os.path.commonpath([path.absolute().parent for path in inputs.files]))
    return inputs


def pictures(inputs: Inputs, stride: int = 1, frames: int | None = None) -> Iterator[Picture]:
    """Every image, and every frame that is wanted, one after the other.

    Args:
        inputs: From :func:`find_inputs`.
        stride: Of videos and cameras, take every so manieth frame.
        frames: Of each video and camera, take at most so many.

    Yields:
        Not read yet, where it is a file.
    """
    for path in inputs.files:
        name = inputs.name(path)
        if _is_video(path):
            yield from _frames(name, path, stride, frames)
        else:
            yield Picture(name, lambda path=path: read_image(path))
    for camera in inputs.cameras:
        yield from _frames(f'camera_{camera}', camera, stride, frames)


def count(inputs: Inputs, stride: int = 1, frames: int | None = None) -> int | None:
    """How many :func:`pictures` there will be, as far as videos say; ``None`` of cameras.

    Args:
        inputs: As there.
        stride: As there.
        frames: As there.
    """
    if inputs.cameras and frames is None:
        return None
    total = len(inputs.cameras) * (frames or 0)
    for path in inputs.files:
        total += _count_frames(path, stride, frames) if _is_video(path) else 1
    return total


def _count_frames(path: Path, stride: int, frames: int | None) -> int:
    capture = _capture(path)
    said = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 1
    capture.release()
    wanted = -(-max(int(said), 0) // stride)
    return wanted if frames is None else min(wanted, frames)


def _add_folder(inputs: Inputs, folder: Path) -> None:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for name in [*folders, *sorted(names)]:
            path = Path(parent) / name
            if name.startswith('.'):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                inputs.left_out.append((path, f'is a link that leads out of {folder}'))
            elif _is_image(path) and path.is_file():
                inputs.files.append(path)


def _add_glob(inputs: Inputs, pattern: str) -> None:
    parts = Path(pattern).parts
    plain = next(k for k, part in enumerate(parts) if glob.has_magic(part))
    base = Path(*parts[:plain])
    for hit in sorted(glob.glob(pattern, recursive=True)):
        path = Path(hit)
        if not path.resolve().is_relative_to(base.resolve()):
            inputs.left_out.append((path, f'is a link that leads out of {base}'))
        elif path.is_file() and _is_image(path):
            inputs.files.append(path)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES or _is_video(path)


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _frames(name: str, source: Path | int, stride: int, frames: int | None) -> Iterator[Picture]:
    capture = _capture(source)
    if not capture.isOpened():

        def fail() -> np.ndarray:
            kind = 'camera' if isinstance(source, int) else 'video'
            raise DataError(f'{source} cannot be opened as a {kind}')

        yield Picture(name, fail)
        return
    try:
        taken = number = 0
        while frames is None or taken < frames:
            wanted = number % stride == 0
            frame = capture.read()[1] if wanted else capture.grab() or None
            if frame is None:
                break
            if wanted:
                taken += 1
                yield Picture(f'{name}/{number:06d}', lambda frame=frame: frame[..., ::-1].copy())
            number += 1
    finally:
        capture.release()


def _capture(source: Path | int) -> cv2.VideoCapture:
    if isinstance(source, int):
        return cv2.VideoCapture(source)
    # FFmpeg goes by content, and a playlist under a video's name could point anywhere.
    os.environ['OPENCV_FFMPEG_CAPTURE_OPTIONS'] = 'protocol_whitelist;file'
    return cv2.VideoCapture(str(source), cv2.CAP_FFMPEG)
