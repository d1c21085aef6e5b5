"""Recognizing the format of a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..utils.errors import ConfigError, DataError
from . import coco, cvat, labelme, labelstudio, masks, voc, yolo
from .files import UnreadableFile, read_xml, readable
from .folder import Folder

#: Modules by the names that ``--format`` takes.
FORMATS: dict[str, ModuleType] = {
    'labelme': labelme,
    'voc': voc,
    'yolo': yolo,
    'cvat': cvat,
    'coco': coco,
    'labelstudio': labelstudio,
    'masks': masks,
}
#: Number of files that are read for a hint.
LOOKED_AT = 20


def recognize(folder: Folder) -> str:
    """The name of a folder's format, in :data:`FORMATS`.

    Args:
        folder: The source.

    Raises:
        DataError: None of the formats.
        ConfigError: Several of them.
    """
    found = [name for name, module in FORMATS.items() if module.recognize(folder)]
    if len(found) > 1 and 'masks' in found:
        # Boxes take precedence over masks beside them.
        found.remove('masks')
    if len(found) > 1:
        raise ConfigError(
            f'{folder.root} holds several formats: {", ".join(found)}. Choose one with --format.'
        )
    if not found and yolo.looks_unnamed(folder):
        found = ['yolo']  # whose reader reports that names are missing
    if not found:
        kinds = ', '.join(sorted({path.suffix or path.name for path in folder.files})[:8])
        formats = '\n  '.join(f'{name:11} {module.TITLE}' for name, module in FORMATS.items())
        hints = ''.join(f'\n{hint}' for hint in (*_unreadable(folder), *_other_formats(folder)))
        raise DataError(
            f'{folder.root} holds {len(folder.files)} files ({kinds or "none"}), but none of these '
            f'formats:\n  {formats}{hints}'
        )
    return found[0]


def _unreadable(folder: Folder) -> list[str]:
    """Broken files that could be annotations."""
    readers: dict[str, Callable[[Path], Any]] = {'.json': folder.read_json, '.xml': read_xml}
    hints = []
    for path in folder.with_suffix(*readers)[:LOOKED_AT]:
        try:
            readers[path.suffix.lower()](path)
        except UnreadableFile as error:
            hints.append(f'{folder.name(path)} cannot be read: {error}')
    return hints[:3]


def _other_formats(folder: Folder) -> list[str]:
    """What to export instead, for formats that are not supported."""
    contents = [readable(folder.read_json, p) for p in folder.with_suffix('.json')[:LOOKED_AT]]
    first = [content[0] for content in contents if isinstance(content, list) and content]
    hints = []
    if any(isinstance(entry, dict) and 'data' in entry for entry in first):
        hints.append(
            "This looks like Label Studio's JSON without annotations: export as JSON or COCO"
        )
    if any(isinstance(entry, dict) and 'image' in entry for entry in first):
        hints.append('This looks like CreateML: export as COCO, Pascal VOC or YOLO instead')
    if any(isinstance(c, dict) and '_via_img_metadata' in c for c in contents):
        hints.append("This looks like VIA's project: export annotations as COCO instead")
    if folder.with_suffix('.csv'):
        hints.append('CSV is not read: export as COCO, Pascal VOC or YOLO instead')
    if folder.with_suffix('.tfrecord', '.record'):
        hints.append('TFRecord is not read: export as COCO, Pascal VOC or YOLO instead')
    return hints
