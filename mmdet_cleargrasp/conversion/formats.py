"""Which format a folder is in, by looking at it."""

from __future__ import annotations

from types import ModuleType

from ..utils.errors import ConfigError, DataError
from . import coco, cvat, labelme, masks, voc, yolo
from .source import Folder

#: Modules by the names that ``--format`` takes.
FORMATS: dict[str, ModuleType] = {
    'labelme': labelme,
    'voc': voc,
    'yolo': yolo,
    'cvat': cvat,
    'coco': coco,
    'masks': masks,
}


def recognize(folder: Folder) -> str:
    """The name of a folder's format, in :data:`FORMATS`.

    Args:
        folder: The source.

    Raises:
        DataError: None of the formats.
        ConfigError: Several of them, among which the user has to choose.
    """
    found = [name for name, module in FORMATS.items() if module.recognize(folder)]
    if len(found) > 1 and 'masks' in found:
        # Boxes that somebody drew say more than masks that lie beside them.
        found.remove('masks')
    if len(found) > 1:
        raise ConfigError(
            f'{folder.root} holds several formats: {", ".join(found)}. Choose one with --format.'
        )
    if not found:
        kinds = ', '.join(sorted({path.suffix or path.name for path in folder.files})[:8])
        formats = '\n  '.join(f'{name:8} {module.TITLE}' for name, module in FORMATS.items())
        raise DataError(
            f'{folder.root} holds {len(folder.files)} files ({kinds or "none"}), but none of these '
            f'formats:\n  {formats}'
        )
    return found[0]
