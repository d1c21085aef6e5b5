"""What every format is read into: images with boxes, and what had to be left out."""

from __future__ import annotations

import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from ..datasets.images import IMAGE_SUFFIXES, read_size
from ..datasets.layout import SPLIT_NAMES
from ..utils.errors import DataError

#: Sides of a box in pixels, below which MMDetection skips it.
SMALLEST = 1.0
#: Pixels by which a box may reach beyond its image before that is worth a word.
TOLERANCE = 1.0
#: What shapes that are not as they should be raise while they are read.
FAULTS = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
#: What Label Studio puts before the names of uploaded files.
UPLOAD_PREFIX = re.compile(r'^[0-9a-f]{8}-')


@dataclass(frozen=True)
class Box:
    """A box in pixels from the upper left corner of the image as one sees it.

    Attributes:
        label: The class as the source calls it.
        left: Of the left edge; ``top``, ``right`` and ``bottom`` likewise.
        crowd: Marks a heap that is not to be scored, as in COCO.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float
    crowd: bool = False

    @staticmethod
    def around(label: str, points: Iterable[Sequence[float]]) -> Box:
        """The box around points.

        Raises:
            ValueError: No points, or values that are no numbers.

        Example:
            >>> Box.around('lid', [(3, 9), (7, 2)])
            Box(label='lid', left=3.0, top=2.0, right=7.0, bottom=9.0, crowd=False)
        """
        pairs = [(float(x), float(y)) for x, y in points]
        if not pairs:
            raise ValueError('no points')
        # Comparisons with NaN would let it vanish.
        if not all(math.isfinite(value) for pair in pairs for value in pair):
            raise ValueError('a point that is not finite')
        xs, ys = zip(*pairs, strict=True)
        return Box(label, min(xs), min(ys), max(xs), max(ys))

    def and_box(self, other: Box) -> Box:
        """The box around this one and another."""
        corners = [(b.left, b.top) for b in (self, other)] + [
            (b.right, b.bottom) for b in (self, other)
        ]
        return Box.around(self.label, corners)

    def within(self, width: float, height: float) -> Box:
        """The part of the box inside an image of this size."""
        left, right = (min(max(v, 0.0), width) for v in (self.left, self.right))
        top, bottom = (min(max(v, 0.0), height) for v in (self.top, self.bottom))
        return Box(self.label, left, top, right, bottom, self.crowd)


@dataclass(frozen=True)
class Picture:
    """An image of a source.

    Attributes:
        path: Of the file.
        width: In pixels, as one sees it (EXIF orientation applied); ``height`` likewise.
        boxes: None in an image without plates.
        split: ``'train'``, ``'val'`` or ``'test'``, where the source says it.
    """

    path: Path
    width: int
    height: int
    boxes: tuple[Box, ...]
    split: str | None = None


@dataclass(frozen=True)
class Skipped:
    """Something that could not be taken over."""

    what: str
    reason: str


@dataclass
class Source:
    """A source data set while it is read, and afterwards.

    Attributes:
        folder: Its files.
        pictures: By path.
        classes: Those that it lists, or those of its boxes by name.
        skipped: Images and boxes that were left out.
        notes: How it was understood, where that could be doubted.
        no_images: Image files that are annotations themselves.
    """

    folder: Folder
    pictures: dict[Path, Picture] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    no_images: set[Path] = field(default_factory=set)

    def skip(self, what: str | Path, reason: str) -> None:
        """Count something as left out."""
        self.skipped.append(Skipped(self.folder.name(what), reason))

    def size(self, path: Path) -> tuple[int, int] | None:
        """Width and height of an image; ``None``, counted as left out, where it is broken."""
        try:
            return read_size(path)
        except DataError as error:
            self.skip(path, str(error).replace(str(path), 'image', 1))
            return None

    def add(
        self,
        path: Path,
        boxes: Iterable[Box],
        annotated_size: tuple[float, float] | None = None,
        split: str | None = None,
    ) -> None:
        """Take an image over, with its boxes as far as they can be used.

        Args:
            path: Of the image.
            boxes: As annotated.
            annotated_size: Width and height that the annotation
                names; an image of another size is left out, for its boxes would be elsewhere.
            split: By default as the path says.
        """
        size = self.size(path)
        if size is None:
            return
        if path in self.pictures:
            self.skip(path, 'annotated twice; the first was taken')
            return
        if annotated_size and tuple(annotated_size) != size:
            width, height = annotated_size
            self.skip(
                path,
                f'image of {size[0]} x {size[1]} pixels, annotated as {width} x {height}'
                + (': it was turned since' if (height, width) == size else ''),
            )
            return
        usable = tuple(kept for box in boxes if (kept := self._usable(path, box, size)))
        self.pictures[path] = Picture(
            path, *size, usable, split or split_of(self.folder.name(path))
        )

    def unannotated(self) -> list[Path]:
        """Images that nothing was said of, in folders where others are annotated."""
        said = {self.folder.root / skipped.what for skipped in self.skipped} | self.pictures.keys()
        folders = {path.parent for path in self.pictures}
        return [
            path
            for path in self.folder.images
            if path.parent in folders and path not in said and path not in self.no_images
        ]

    def _usable(self, path: Path, box: Box, size: tuple[int, int]) -> Box | None:
        sides = (box.left, box.top, box.right, box.bottom)
        if not all(math.isfinite(side) for side in sides):
            self.skip(path, 'box of values that are not finite')
            return None
        inside = box.within(*size)
        if min(inside.right - inside.left, inside.bottom - inside.top) < SMALLEST:
            outside = min(box.right - box.left, box.bottom - box.top) >= SMALLEST
            self.skip(path, 'box outside its image' if outside else 'box of less than a pixel')
            return None
        if max(abs(a - b) for a, b in zip(sides, astuple(inside), strict=True)) > TOLERANCE:
            self.notes.append('boxes that reached beyond their image were cut at its edge')
        return inside

    def finish(self) -> Source:
        """Complete the classes, and say each note once.

        Raises:
            DataError: Nothing was found that could be converted.
        """
        if not self.pictures:
            reasons = Counter(skipped.reason for skipped in self.skipped).most_common(3)
            why = '; '.join(f'{reason} ({count})' for reason, count in reasons)
            raise DataError(
                f'{self.folder.root}: no image could be taken over. {why or "No image."}'
            )
        used = {box.label for picture in self.pictures.values() for box in picture.boxes}
        self.classes = list(dict.fromkeys([*self.classes, *sorted(used)]))
        counts = Counter(self.notes)
        self.notes = [f'{note} ({n})' if n > 1 else note for note, n in counts.items()]
        return self


def describe(fault: Exception) -> str:
    """One of :data:`FAULTS` in words.

    Example:
        >>> describe(KeyError('bbox')), describe(ValueError('no points'))
        ("'bbox' is missing", 'no points')
    """
    return f'{fault} is missing' if isinstance(fault, KeyError) else str(fault)


def astuple(box: Box) -> tuple[float, float, float, float]:
    """The sides of a box: left, top, right, bottom."""
    return box.left, box.top, box.right, box.bottom


class Folder:
    """The files of a folder, found by what annotations call them, and none from outside.

    Args:
        root: The folder.

    Raises:
        DataError: No folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            hint = ': unpack it first' if self.root.suffix in ('.zip', '.tar', '.gz', '.7z') else ''
            found = 'is a file, expected a folder' if self.root.exists() else 'is not there'
            raise DataError(f'{self.root} {found}{hint} (looked from {Path.cwd()})')
        inside = self.root.resolve()
        self.files: list[Path] = []
        self.links_out: list[Path] = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(n for n in folders if not n.startswith(('.', '__MACOSX')))
            for name in sorted(names):
                path = Path(folder) / name
                leaves = path.is_symlink() and not path.resolve().is_relative_to(inside)
                if leaves:
                    self.links_out.append(path)
                elif not name.startswith('.'):
                    self.files.append(path)
        self.images = [path for path in self.files if path.suffix.lower() in IMAGE_SUFFIXES]
        self._known = set(self.files)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in self.images:
            self._by_name[path.name.casefold()].append(path)
            self._by_stem[path.stem.casefold()].append(path)

    def __contains__(self, path: Path) -> bool:
        return path in self._known

    def name(self, path: str | Path) -> str:
        """A path as seen from the folder, with forward slashes."""
        path = Path(path)
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def with_suffix(self, *suffixes: str) -> list[Path]:
        """Files whose names end so, whatever their case."""
        return [path for path in self.files if path.suffix.lower() in suffixes]

    def find_image(self, name: str, near: Path) -> Path | None:
        """The image that an annotation names.

        Only the file's name has to be right: folders in it may be those of another computer. Of
        several files of one name, that is taken whose folders are most alike.

        Args:
            name: As written, with slashes of either kind, perhaps percent-encoded or with
                Label Studio's upload prefix.
            near: The annotation file.

        Returns:
            ``None`` where there is none, or several that are equally alike.
        """
        written = name.replace('\\', '/')
        for spelling in (written, unquote(written)):
            parts = PurePosixPath(spelling).parts
            if not parts:
                return None
            for last in (parts[-1], UPLOAD_PREFIX.sub('', parts[-1])):
                found = self._by_name.get(last.casefold(), [])
                if found:
                    return self._most_alike(found, (*parts[:-1], last), near)
        return None

    def find_by_stem(self, stem: str, near: Path) -> Path | None:
        """The image of this name without its ending, nearest to an annotation file."""
        found = self._by_stem.get(stem.casefold(), [])
        return self._most_alike(found, (), near) if found else None

    def find_folder(self, written: str) -> Path | None:
        """The folder, or file, that a path ends in which may be that of another computer."""
        parts = [p for p in PurePosixPath(written.replace('\\', '/')).parts if p not in ('..', '/')]
        for start in range(len(parts) + 1):
            path = self.root.joinpath(*parts[start:])
            if path.exists() and path.resolve().is_relative_to(self.root.resolve()):
                return path
        return None

    def _most_alike(self, found: list[Path], parts: tuple[str, ...], near: Path) -> Path | None:
        def alike(path: Path) -> tuple[int, int]:
            return (
                _common(reversed(path.parts), reversed(parts)),
                _common(path.parts, near.parts),
            )

        best = max(alike(path) for path in found)
        closest = [path for path in found if alike(path) == best]
        return closest[0] if len(closest) == 1 else None


def split_of(name: str) -> str | None:
    """The split that a path names, by its last part that names one.

    Example:
        >>> split_of('valid/images/a.jpg'), split_of('instances_train2017.json'), split_of('a.jpg')
        ('val', 'train', None)
    """
    words = {word: split for split, names in SPLIT_NAMES.items() for word in names}
    parts = PurePosixPath(name).parts
    # Of an image only the folders count: train.jpg may show a train.
    if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
        parts = parts[:-1]
    for part in reversed(parts):
        for word in re.findall(r'[a-z]+', part.lower()):
            if word in words:
                return words[word]
    return None


def _common(first: Iterable[str], second: Iterable[str]) -> int:
    count = 0
    for a, b in zip(first, second, strict=False):
        if a.casefold() != b.casefold():
            break
        count += 1
    return count
