"""YOLO: a text file for every image, a line for every box, class names in data.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from supervision.dataset.formats.yolo import yolo_annotations_to_detections

from ..utils.errors import DataError
from .files import read_lines, read_yaml
from .source import FAULTS, Box, Folder, Source, describe

TITLE = "YOLO's data.yaml with images/ and labels/"
LISTS_IMAGES = False

#: What lists the classes, a name a line, where there is no YAML.
NAME_FILES = ('classes.txt', 'obj.names')
SPLIT_KEYS = {'train': 'train', 'val': 'val', 'valid': 'val', 'test': 'test'}


def recognize(folder: Folder) -> bool:
    """Whether there are class names as YOLO has them, and labels beside the images."""
    return bool(_yaml(folder) or _names_file(folder)) and any(
        label in folder for image in folder.images[:50] for label in _labels(folder, image)
    )


def read(folder: Folder) -> Source:
    """Read images and boxes; polygons, oriented boxes and poses count with their extent.

    Raises:
        DataError: No class names.
    """
    source = Source(folder)
    config = _yaml(folder)
    source.classes = _classes(folder, config)
    points = _points(config)
    for image, split in _images(source, config):
        label = next((path for path in _labels(folder, image) if path in folder), None)
        size = source.size(image) if label else None
        if label is not None and size is not None:
            boxes = []
            for number, line in enumerate(read_lines(label), 1):
                try:
                    boxes.append(_box(line, size, source.classes, points))
                except FAULTS as error:
                    source.skip(f'{folder.name(label)}, line {number}', describe(error))
            source.add(image, boxes, split=split)
    return source


def _yaml(folder: Folder) -> dict[str, Any] | None:
    for path in sorted(folder.with_suffix('.yaml', '.yml'), key=lambda p: p.name != 'data.yaml'):
        content = read_yaml(path)
        if isinstance(content, dict) and isinstance(content.get('names'), dict | list):
            return content
    return None


def _names_file(folder: Folder) -> Path | None:
    return next((path for path in folder.files if path.name in NAME_FILES), None)


def _classes(folder: Folder, config: dict[str, Any] | None) -> list[str]:
    names = config['names'] if config else read_lines(_names_file(folder) or folder.root)
    if isinstance(names, dict):
        try:
            by_number = {int(number): str(name) for number, name in names.items()}
        except (TypeError, ValueError):
            raise DataError(f'{folder.root}: names in its YAML are not numbered') from None
        if len(by_number) and not 0 <= min(by_number) <= max(by_number) < 10_000:
            raise DataError(f'{folder.root}: names in its YAML are numbered beyond 0 to 9999')
        names = [by_number.get(k, f'class_{k}') for k in range(max(by_number, default=-1) + 1)]
    if not names:
        raise DataError(f'{folder.root}: no class names, expected data.yaml with names')
    return [str(name) for name in names]


def _points(config: dict[str, Any] | None) -> int:
    """Numbers that follow the box in labels of poses."""
    shape = (config or {}).get('kpt_shape')
    sound = isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) for n in shape)
    return shape[0] * shape[1] if sound else 0


def _images(source: Source, config: dict[str, Any] | None) -> Iterator[tuple[Path, str | None]]:
    """Images with the split that the YAML puts them in; all of them where it says nothing."""
    folder, told = source.folder, {}
    for key, split in SPLIT_KEYS.items():
        entries = (config or {}).get(key) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            place = folder.find_folder(str(entry))
            if place is None or place == folder.root:
                source.notes.append(f'{key}: {entry} in the YAML is not there')
            elif place.is_dir():
                told |= {image: split for image in folder.images if place in image.parents}
            else:
                listed = (folder.find_image(line, place) for line in read_lines(place))
                told |= {image: split for image in listed if image}
    for image in folder.images:
        if not told or image in told:
            yield image, told.get(image)


def _labels(folder: Folder, image: Path) -> Iterator[Path]:
    """Where an image's label file may be."""
    path = image.with_suffix('.txt')
    parts = list(path.relative_to(folder.root).parts)
    if 'images' in parts:
        last = len(parts) - 1 - parts[::-1].index('images')
        yield folder.root.joinpath(*parts[:last], 'labels', *parts[last + 1 :])
    yield path


def _box(line: str, size: tuple[int, int], classes: list[str], points: int) -> Box:
    values = line.split()
    if points and len(values) == 5 + points:
        values = values[:5]
    found = yolo_annotations_to_detections([' '.join(values)], size, with_masks=False)
    number = int(found.class_id[0])
    if not 0 <= number < len(classes):
        raise ValueError(f'class {number} of {len(classes)}')
    return Box(classes[number], *(float(side) for side in found.xyxy[0]))
