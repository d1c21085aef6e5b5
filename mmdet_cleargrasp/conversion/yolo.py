"""YOLO: a text file per image, a line per box, class names in a separate file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..datasets.box_conventions import READINGS, Numbers, Sample, reading_of
from ..datasets.images import normalized
from ..utils.errors import DataError
from ..utils.text_files import decode
from .boxes import Box
from .files import UnreadableFile, read_lines, read_yaml, readable
from .folder import Folder, NotFound
from .labels import Labels, describe
from .source import Source

TITLE = "YOLO's text files beside images or in labels/, with data.yaml, classes.txt or obj.names"

#: Files with one class name per line, if there is no YAML.
NAME_FILES = (
    'classes.txt', 'obj.names', 'labels.txt', 'names.txt', '_darknet.labels', 'classes.names',
    'predefined_classes.txt',
)  # fmt: skip
SPLIT_KEYS = {'train': 'train', 'val': 'val', 'valid': 'val', 'test': 'test'}
#: Meanings of the four numbers of a box.
READING = 'center x, center y, width, height'
LINE = re.compile(r'\d+(\s+[-+\d.eE]+){4,}')
#: Number of images or files that are read to recognize the format.
LOOKED_AT = 50
#: Maximum number of classes.
MOST_CLASSES = 10_000


def recognize(folder: Folder) -> bool:
    """Whether there are YOLO's class names, and text files that belong to images."""
    if not (_yaml(folder)[1] or _names_file(folder)):
        return False
    files = _LabelFiles(folder)
    return any(files.of(image) for image in folder.images[:LOOKED_AT])


def looks_unnamed(folder: Folder) -> bool:
    """Whether there are YOLO's text files but no class names."""
    return any(_holds_boxes(path) for path in folder.with_suffix('.txt')[:LOOKED_AT])


def read(folder: Folder) -> Source:
    """Read images and boxes; polygons, oriented boxes and poses become their bounding boxes.

    Raises:
        DataError: No class names.
    """
    source = Source(folder)
    yaml_file, config = _yaml(folder)
    names_file = yaml_file or _names_file(folder)
    source.classes = _classes(folder, names_file, config)
    _note_encoding(source, names_file)
    splits, lists = _splits(source, config)
    files = _LabelFiles(folder)
    labels: dict[Path, _LabelFile] = {}
    for image in folder.images:
        path = files.of(image)
        if path is None:
            continue
        try:
            labels[image] = _LabelFile(path, read_lines(path), source.classes, _points(config))
        except UnreadableFile as error:
            source.skip_image(image, str(error), folder.name(path))
    reading = _reading(source, labels.values())
    for image, file in labels.items():
        source.add(image, file.labels(splits.get(image), reading))
    orphans = _orphans(folder, {file.path for file in labels.values()} | {names_file} | lists)
    for path in orphans:
        source.skip_orphan(path, 'there is no image of its name')
    for image in folder.images:
        if image not in labels and image in splits:
            source.told_splits[image] = splits[image]
    # Ultralytics does not write a file for an image without objects.
    source.missing_is_negative = not orphans and 2 * len(labels) >= len(folder.images)
    return source


@dataclass
class _LabelFile:
    """The lines of a label file as numbers; errors are kept until the image is known."""

    path: Path
    lines: Sequence[str]
    classes: Sequence[str]
    points: int
    #: Class, numbers and line of each box or polygon.
    shapes: list[tuple[str, list[float], int]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, line in enumerate(self.lines, 1):
            try:
                self.shapes.append((*self._parse(line.split()), number))
            except (ValueError, OverflowError) as error:
                self.unread.append((f'line {number}', describe(error)))

    def _parse(self, words: list[str]) -> tuple[str, list[float]]:
        if len(words) < 5:
            raise ValueError('a line of fewer than five numbers')
        try:
            number, *values = (float(word) for word in words)
        except ValueError:
            raise ValueError('a line with something other than numbers') from None
        if not number.is_integer() or not 0 <= number < len(self.classes):
            raise ValueError(f'class {words[0]} of {len(self.classes)}, which are numbered from 0')
        if self.points and len(values) == 4 + self.points:
            values = values[:4]
        if len(values) % 2:  # a confidence at the end
            values.pop()
        if max(map(abs, values)) > 2:
            raise ValueError('coordinates in pixels, expected fractions of the image from 0 to 1')
        if len(values) == 4 and min(values[2:]) < 0:
            raise ValueError('a negative width or height')
        return self.classes[int(number)], values

    @property
    def boxes(self) -> list[Numbers]:
        """The four numbers of every box."""
        return [(v[0], v[1], v[2], v[3]) for _, v, _ in self.shapes if len(v) == 4]

    def labels(self, split: str | None, reading: str) -> Labels:
        """The boxes, with numbers in one of the conventions of :data:`.READINGS`."""
        labels = Labels(self.path, split=split, shares=True, unread=list(self.unread))

        def box(shape: tuple[str, list[float], int]) -> Box:
            label, values, _ = shape
            if len(values) == 4:
                return Box(label, *READINGS[reading](*values))
            return Box.around(label, zip(values[::2], values[1::2], strict=True))

        for shape in self.shapes:
            labels.read(f'line {shape[2]}', box, shape)
        return labels


class _LabelFiles:
    """The text files of a folder, by the images that they belong to."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in folder.with_suffix('.txt'):
            self.by_stem[normalized(path.stem).casefold()].append(path)
        self.stems: dict[str, int] = defaultdict(int)
        for image in folder.images:
            self.stems[normalized(image.stem).casefold()] += 1

    def of(self, image: Path) -> Path | None:
        """An image's label file: in ``labels/`` for ``images/``, beside it, or the only one."""
        place = PurePosixPath(self.folder.name(image))
        for end in (place.with_suffix('.txt'), place.with_name(f'{place.name}.txt')):
            for candidate in (_in_labels(end), end, end.parent / 'labels' / end.name):
                found = self.folder.find(candidate)
                if found:
                    return found
        stem = normalized(image.stem).casefold()
        texts = self.by_stem.get(stem, [])
        return texts[0] if len(texts) == 1 == self.stems[stem] else None


def _in_labels(place: PurePosixPath) -> PurePosixPath:
    parts = list(place.parts)
    folded = [part.casefold() for part in parts[:-1]]
    if 'images' in folded:
        parts[len(folded) - 1 - folded[::-1].index('images')] = 'labels'
    return PurePosixPath(*parts)


def _yaml(folder: Folder) -> tuple[Path | None, dict[str, Any]]:
    """The YAML with class names, otherwise one that cannot be read, and its content."""
    unreadable = None
    for path in sorted(folder.with_suffix('.yaml', '.yml'), key=lambda p: p.name != 'data.yaml'):
        try:
            content = read_yaml(path)
        except UnreadableFile:
            unreadable = unreadable or path
            continue
        if isinstance(content, dict) and isinstance(content.get('names'), dict | list):
            return path, content
    return None, {'unreadable': unreadable} if unreadable else {}


def _names_file(folder: Folder) -> Path | None:
    named = [path for path in folder.files if path.name.casefold() in NAME_FILES]
    named += folder.with_suffix('.names')
    return next(iter(named), None)


def _classes(folder: Folder, path: Path | None, config: dict[str, Any]) -> list[str]:
    names = config.get('names')
    if path and names is None:
        try:
            names = read_lines(path)
        except UnreadableFile as error:
            raise DataError(f'{path}: {error}') from error
    if isinstance(names, dict):
        names = _in_order(folder, names)
    if not names:
        fault = config.get('unreadable')
        found = f'{fault} cannot be read: {_fault_of(fault)}. ' if fault else ''
        raise DataError(
            f'{folder.root} has label files of YOLO, but no class names. {found}Add a classes.txt '
            'with one name per line in the order of the class indices, or a data.yaml with names'
        )
    return [' '.join(str(name).split()) for name in names]


def _fault_of(path: Path) -> str:
    try:
        read_yaml(path)
    except UnreadableFile as error:
        return str(error)
    return ''


def _in_order(folder: Folder, names: dict[Any, Any]) -> list[str]:
    try:
        by_number = {int(number): str(name) for number, name in names.items()}
    except (TypeError, ValueError, OverflowError):
        raise DataError(f'{folder.root}: names in its YAML are not numbered') from None
    if by_number and not 0 <= min(by_number) <= max(by_number) < MOST_CLASSES:
        raise DataError(f'{folder.root}: names in its YAML are numbered beyond 0 to 9999')
    return [by_number.get(k, f'class_{k}') for k in range(max(by_number, default=-1) + 1)]


def _note_encoding(source: Source, path: Path | None) -> None:
    """Note that class names were not UTF-8 and may be wrong."""
    if path and decode(path.read_bytes())[1] == 'cp1252':
        source.notes.append(
            f'{source.folder.name(path)} is not UTF-8 and was read as Western European (cp1252): '
            f'are the class names right? {", ".join(source.classes)}'
        )


def _points(config: dict[str, Any]) -> int:
    """Numbers after the box in pose labels."""
    shape = config.get('kpt_shape')
    if isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) for n in shape):
        return max(0, shape[0] * shape[1])
    return 0


def _splits(source: Source, config: dict[str, Any]) -> tuple[dict[Path, str], set[Path]]:
    """Images with their split in the YAML or Darknet's lists, and these lists."""
    folder = source.folder
    splits: dict[Path, str] = {}
    lists: set[Path] = set()
    for key, entry in _entries(folder, config):
        split, place = SPLIT_KEYS[key], folder.find_folder(entry)
        if place is None:
            if entry.strip('./\\'):
                source.notes.append(f'{key}: {entry} is not there')
        elif place in folder.folders:
            splits |= {image: split for image in folder.images if place in image.parents}
        elif place.suffix.lower() == '.txt':
            lists.add(place)
            for line in readable(read_lines, place) or []:
                try:
                    splits[folder.find_image(line, place)] = split
                except NotFound as error:
                    source.skip_orphan(place, error.reason, error.detail)
    return splits, lists


def _entries(folder: Folder, config: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Keys and folders or lists of a data.yaml, or of Darknet's .data file or lists."""
    if not any(config.get(key) for key in SPLIT_KEYS):
        config = {}
        for path in folder.with_suffix('.data'):
            for line in readable(read_lines, path) or []:
                key, _, value = line.partition('=')
                config[key.strip()] = value.strip()
        for path in folder.with_suffix('.txt'):
            if path.parent == folder.root and path.stem.lower() in SPLIT_KEYS:
                config.setdefault(path.stem.lower(), path.name)
    for key in SPLIT_KEYS:
        entries = config.get(key) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            yield key, str(entry)


def _reading(source: Source, files: Iterable[_LabelFile]) -> str:
    samples = [Sample(box, (1.0, 1.0)) for file in files for box in file.boxes]
    reading = reading_of(samples, READING)
    if reading != READING:
        source.notes.append(
            f'boxes are {reading} in place of {READING}, and were converted accordingly'
        )
    return reading


def _orphans(folder: Folder, known: set[Path | None]) -> list[Path]:
    """Label files that belong to no image."""
    return [
        path
        for path in folder.with_suffix('.txt')
        if path not in known
        and path.name.casefold() not in NAME_FILES
        and (_holds_boxes(path) or (path.parent.name.casefold() == 'labels' and _is_empty(path)))
    ]


def _holds_boxes(path: Path) -> bool:
    lines = readable(read_lines, path)
    return lines is not None and bool(lines) and LINE.fullmatch(lines[0]) is not None


def _is_empty(path: Path) -> bool:
    return readable(read_lines, path) == []
