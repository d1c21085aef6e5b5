"""Images and videos from the command line: files, folders, globs, cameras."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..datasets.images import LONGEST_NAME, find_file, is_image, is_url, read_image
from ..utils.errors import DataError
from ..utils.text_files import is_digits

VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv')


@dataclass(frozen=True)
class Picture:
    """One image that is read on demand.

    Attributes:
        name: Unique relative name, with ``/`` between folders.
        read: Returns uint8 (H, W, 3) in RGB order, or raises.
    """

    name: str
    read: Callable[[], np.ndarray]


@dataclass
class Inputs:
    """Images and videos of a command line.

    Attributes:
        root: The folder that names are relative to.
        files: Images and videos, each once.
        cameras: Their numbers.
        skipped: Images, links and folders that are not used, each with the reason.
    """

    root: Path = field(default_factory=Path)
    files: list[Path] = field(default_factory=list)
    cameras: list[int] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)

    def name(self, path: Path) -> str:
        """A file's name among the inputs."""
        return path.absolute().relative_to(self.root).as_posix()


def find_inputs(arguments: Sequence[str | Path]) -> Inputs:
    """Find images and videos in files, folders and globs, without the network.

    Folders are searched recursively. Images are recognized by suffix or content, including
    unsupported formats, so that reading them reports the reason. Hidden files are ignored, and
    links that lead out of a folder are skipped. A file that is given explicitly is used whatever
    its name.

    Args:
        arguments: Files, folders, globs (quoted), numbers of cameras.

    Raises:
        DataError: A URL, a path that does not exist, or no image in any of them.

    Example:
        >>> find_inputs(['https://example.org/plate.jpg'])
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.DataError: https://example.org/plate.jpg is a URL, and ...
    """
    inputs = Inputs()
    for argument in map(str, arguments):
        if is_url(argument):
            raise DataError(f'{argument} is a URL, and nothing is downloaded: download it first')
        path = find_file(argument)
        if os.path.isdir(path):
            _add_folder(inputs, path)
        elif os.path.lexists(path):
            inputs.files.append(path)
        elif is_digits(argument):
            inputs.cameras.append(int(argument))
        elif glob.has_magic(argument):
            _add_glob(inputs, argument)
        else:
            raise DataError(f'nothing at {argument[:LONGEST_NAME]} (looked from {Path.cwd()})')
    # The same file may be given several times.
    inputs.files = list({os.path.realpath(path): path for path in inputs.files}.values())
    if not inputs.files and not inputs.cameras:
        raise DataError(_no_image(arguments, inputs))
    if inputs.files:
        inputs.root = Path(os.path.commonpath([path.absolute().parent for path in inputs.files]))
    return inputs


def pictures(inputs: Inputs, stride: int = 1, frames: int | None = None) -> Iterator[Picture]:
    """All images and selected frames, one after the other.

    Args:
        inputs: From :func:`find_inputs`.
        stride: Use every N-th frame of videos and cameras.
        frames: Use at most this many frames of each video and camera.

    Yields:
        Images are read later, by :attr:`Picture.read`; frames have been.
    """
    for path in inputs.files:
        name = inputs.name(path)
        if _is_video(path):
            yield from _frames(name, path, stride, frames)
        else:
            yield Picture(name, partial(read_image, path))
    for camera in inputs.cameras:
        yield from _frames(f'camera_{camera}', camera, stride, frames)


def count(inputs: Inputs, stride: int = 1, frames: int | None = None) -> int | None:
    """Number of :func:`pictures`, as far as videos' headers tell; ``None`` with endless cameras.

    Args:
        inputs: From :func:`find_inputs`.
        stride: As in :func:`pictures`.
        frames: As in :func:`pictures`.
    """
    if inputs.cameras and frames is None:
        return None
    total = len(inputs.cameras) * (frames or 0)
    for path in inputs.files:
        total += max(_count_frames(path, stride, frames), 1) if _is_video(path) else 1
    return total


def _count_frames(path: Path, stride: int, frames: int | None) -> int:
    if not _is_utf8(str(path)):
        return 1
    capture = _capture(path)
    said = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 1
    capture.release()
    wanted = -(-max(int(said), 0) // stride)
    return wanted if frames is None else min(wanted, frames)


def _no_image(arguments: Sequence[str | Path], inputs: Inputs) -> str:
    text = f'no image in {", ".join(map(str, arguments))}'
    for path, reason in inputs.skipped[:3]:
        text += f'; {path} {reason}'
    return f'{text}: looked for images by suffix and content, and for videos by suffix'


def _add_folder(inputs: Inputs, folder: Path) -> None:
    def note(error: OSError) -> None:
        inputs.skipped.append((Path(error.filename), f'cannot be opened: {error.strerror}'))

    for parent, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for name in [*folders, *sorted(names)]:
            path = Path(parent) / name
            if not name.startswith('.'):
                _add_if_image(inputs, path, folder)


def _add_glob(inputs: Inputs, pattern: str) -> None:
    parts = Path(pattern).parts
    plain = next(k for k, part in enumerate(parts) if glob.has_magic(part))
    base, rest = Path(*parts[:plain]), list(parts[plain:])
    # As a shell has it: ** alone in its part searches folders, and at the end means all files.
    rest = [part if part == '**' else re.sub(r'\*{2,}', '*', part) for part in rest]
    rest += ['*'] if rest[-1] == '**' else []
    # pathlib follows no links for **: two that lead back up would make endless paths.
    for path in sorted(set(base.glob('/'.join(rest)))):
        if not _is_hidden(path.relative_to(base), rest):
            _add_if_image(inputs, path, base)


def _is_hidden(path: Path, pattern: Sequence[str]) -> bool:
    """Whether a hit of a pattern has a part that begins with a dot, which no part of it does."""
    asked = any(part.startswith('.') for part in pattern)
    return not asked and any(part.startswith('.') for part in path.parts)


def _add_if_image(inputs: Inputs, path: Path, base: Path) -> None:
    """Add a file of a folder; an image that is not used is listed with the reason."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base)):
        inputs.skipped.append((path, f'is a link that leads out of {base}'))
    elif os.path.isdir(path):
        return
    elif is_image(path) or path.suffix.lower() in VIDEO_SUFFIXES:
        if os.path.isfile(path):
            inputs.files.append(path)
        else:
            inputs.skipped.append((path, 'is not a regular file'))


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and os.path.isfile(path)


def _frames(name: str, source: Path | int, stride: int, frames: int | None) -> Iterator[Picture]:
    kind = 'camera' if isinstance(source, int) else 'video'
    if not _is_utf8(str(source)):  # would crash OpenCV
        yield _unreadable(name, f'{source} has a name that is not UTF-8: rename it')
        return
    capture = _capture(source)
    if not capture.isOpened():
        yield _unreadable(name, f'{source} cannot be opened as a {kind}')
        return
    taken = number = 0
    try:
        while frames is None or taken < frames:
            wanted = number % stride == 0
            frame: Any = capture.read()[1] if wanted else capture.grab() or None
            if frame is None:
                break
            if wanted:
                taken += 1
                yield Picture(f'{name}/{number:06d}', partial(_to_rgb, frame))
            number += 1
    finally:
        capture.release()
    if not taken:
        yield _unreadable(name, f'{source} has no frame that can be read')


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(name: str, problem: str) -> Picture:
    def fail() -> np.ndarray:
        raise DataError(problem)

    return Picture(name, fail)


def _capture(source: Path | int) -> cv2.VideoCapture:
    if isinstance(source, int):
        return cv2.VideoCapture(source)
    # FFmpeg recognizes files by content, a playlist named as a video could refer to any file.
    os.environ['OPENCV_FFMPEG_CAPTURE_OPTIONS'] = 'protocol_whitelist;file'
    return cv2.VideoCapture(str(source), cv2.CAP_FFMPEG)


def _to_rgb(frame: np.ndarray) -> np.ndarray:
    return frame[..., ::-1].copy()
