"""COCO annotation files, read with specific error messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..utils.atomic_files import write_json
from ..utils.errors import DataError
from ..utils.text_files import decode

ID = int | str
#: Key of images whose size was read from the file, because the annotations do not list it.
SIZE_FROM_FILE = 'size_from_file'
#: Advice for files in another format.
CONVERT = 'Convert the folder: python tools/dataset_converters/to_coco.py SRC DIR'
HELP = f'--data-root adds sizes, areas and iscrowd that are missing. {CONVERT}'
SECTIONS = {
    'images': {'id': ID, 'file_name': str, 'width': int | float, 'height': int | float},
    # mmdet reads the area and pycocotools iscrowd; both fail if it is missing.
    'annotations': {
        'id': ID,
        'image_id': ID,
        'category_id': ID,
        'bbox': list,
        'area': int | float,
        'iscrowd': int,
    },
    'categories': {'id': ID, 'name': str},
}


@dataclass(frozen=True)
class CocoFile:
    """A COCO file with its three lists and the keys that detection needs.

    Attributes:
        path: The JSON file.
        images: ``id``, ``file_name``, ``width`` and ``height`` in pixels.
        annotations: ``id``, ``image_id``, ``category_id``, ``bbox`` as x, y, width and height in
            pixels, ``area`` in square pixels, ``iscrowd`` as 0 or 1.
        categories: ``id`` and ``name``.
    """

    path: Path
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    categories: list[dict[str, Any]]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the categories in the file's order, which is the order of mmdet's labels."""
        return tuple(category['name'] for category in self.categories)


def read_coco(path: str | Path) -> CocoFile:
    """Read a COCO file and check its structure.

    Args:
        path: The JSON file.

    Raises:
        DataError: No file, not JSON, or a list or key is missing.

    Example:
        >>> read_coco('annotations/none.json')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.DataError: no annotation file at annotations/none.json (...
    """
    return check_sections(Path(path), load_coco_dict(path, as_pycocotools=True))


def load_coco_dict(path: str | Path, as_pycocotools: bool = False) -> dict[str, Any]:
    """The JSON object in a file, unchecked.

    Args:
        path: The JSON file.
        as_pycocotools: Refuse files that pycocotools cannot read: other encodings than UTF-8, and a
            byte order mark.

    Raises:
        DataError: No file, not JSON, or not an object.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise DataError(f'no annotation file at {path} (looked from {Path.cwd()})')
        data = path.read_bytes()
        content = json.loads(data.decode('utf-8') if as_pycocotools else decode(data)[0])
    except (ValueError, RecursionError) as error:
        raise DataError(f'{path} is not valid JSON: {error}. Export it again.') from error
    except OSError as error:
        raise DataError(f'{path} cannot be opened: {error.strerror}') from error
    if not isinstance(content, dict):
        raise DataError(f'{path} holds a {type(content).__name__}, expected a COCO dict')
    return content


def check_sections(path: Path, content: dict[str, Any]) -> CocoFile:
    """Check the three lists of a COCO file and the keys that detection needs.

    Args:
        path: Path of the file, for messages.
        content: Its content.

    Raises:
        DataError: A list or key is missing, or of another type.
    """
    for section, types in SECTIONS.items():
        _check_section(path, section, content.get(section), types)
    return CocoFile(path, *(content[section] for section in SECTIONS))


def needs_renumbering(coco: CocoFile) -> bool:
    """Whether pycocotools would count wrongly or fail because of annotation ids.

    It marks a matched box by its id, so that id 0 means unmatched, and needs numbers.
    """
    return any(not isinstance(a['id'], int) or a['id'] < 1 for a in coco.annotations)


def write_coco(
    path: str | Path,
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    categories: list[dict[str, Any]],
) -> None:
    """Write a COCO file atomically, with annotations numbered from 1.

    Args:
        path: The JSON file; its folder is created if needed.
        images: As in :class:`CocoFile`.
        annotations: As in :class:`CocoFile`; ids are replaced.
        categories: As in :class:`CocoFile`.
    """
    numbered = [{**annotation, 'id': k} for k, annotation in enumerate(annotations, 1)]
    content = {'images': images, 'annotations': numbered, 'categories': categories}
    # Atomically: several processes of one run write the same file.
    write_json(path, content, indent=None)


def _check_section(path: Path, section: str, entries: Any, types: dict[str, Any]) -> None:
    if not isinstance(entries, list):
        raise DataError(f'{path} has no list {section!r}, which a COCO file needs')
    for index, entry in enumerate(entries):
        for key, expected in types.items():
            if not isinstance(entry, dict) or key not in entry:
                raise DataError(
                    f'{path}: {section}[{index}] lacks {key!r}{_name(entry)}; expected '
                    f'{", ".join(types)}. {HELP}'
                )
            if not isinstance(entry[key], expected):
                name = expected.__name__ if isinstance(expected, type) else expected
                raise DataError(
                    f'{path}: {section}[{index}] has {key}={entry[key]!r}, expected {name}'
                    f'{_name(entry)}. {HELP}'
                )


def _name(entry: Any) -> str:
    """Id and name of an entry, for messages."""
    keys = ('id', 'file_name', 'image_id', 'name')
    known = [f'{k} {entry[k]!r}' for k in keys if isinstance(entry, dict) and k in entry]
    return f' ({", ".join(known)})' if known else ''
