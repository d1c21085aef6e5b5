"""LabelMe and X-AnyLabeling: a JSON file for every image, with shapes of many kinds."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .boxes import Box
from .files import UnreadableFile, readable
from .folder import Folder, NotFound
from .labels import Labels, NoOutline, annotated_size
from .source import Source

TITLE = "LabelMe's or X-AnyLabeling's JSON files"

#: Shapes without area.
NO_OUTLINE = ('point', 'points', 'line', 'linestrip')
#: Shapes whose points lie on their outline.
OUTLINES = ('polygon', 'rectangle', 'oriented_rectangle', 'rotation', 'quadrilateral', 'mask')
#: How many files are looked at to recognize the format.
LOOKED_AT = 20


def recognize(folder: Folder) -> bool:
    """Whether one of the first JSON files is LabelMe's."""
    files = folder.with_suffix('.json')[:LOOKED_AT]
    return any(_is_labelme(readable(folder.read_json, path)) for path in files)


def read(folder: Folder) -> Source:
    """Read images and boxes; circles and rotated shapes count with their extent."""
    source = Source(folder)
    files = []
    for path in folder.with_suffix('.json'):
        try:
            content = folder.read_json(path)
        except UnreadableFile as error:
            source.skip_unreadable(path, str(error))
            continue
        if _is_labelme(content):
            images = _images(folder, path, content)
            files.append(_LabelMeFile(path, _labels(path, content), *images))
        else:
            source.skip_foreign(path, 'not a LabelMe file: it has no list "shapes"')
    by_stem = _paired_by_stem(source, files)
    for file in files:
        image = file.beside if by_stem and file.beside else file.named or file.beside
        if image is None:
            source.skip_orphan(file.labels.file, 'its image does not exist', file.fault)
        else:
            source.add(image, file.labels)
    return source


@dataclass(frozen=True)
class _LabelMeFile:
    """A JSON file, the image in its ``imagePath``, and the image with the file's own name."""

    path: Path
    labels: Labels
    named: Path | None
    beside: Path | None
    fault: str


def _images(
    folder: Folder, path: Path, content: dict[str, Any]
) -> tuple[Path | None, Path | None, str]:
    named = beside = None
    fault = ''
    try:
        named = folder.find_image(str(content.get('imagePath') or ''), path)
    except NotFound as error:
        fault = error.detail
    with suppress(NotFound):
        beside = folder.find_by_stem(path.stem, path)
    return named, beside, fault


def _paired_by_stem(source: Source, files: list[_LabelMeFile]) -> bool:
    """Whether files belong to the images of the same name, whatever ``imagePath`` says.

    LabelMe uses ``imagePath``. After images and files were renamed together, it is outdated, which
    shows if several files name the same image.
    """
    doubtful = [file for file in files if file.named and file.beside not in (None, file.named)]
    if not doubtful:
        return False
    images = [file.named or file.beside for file in files]
    by_stem = [file.beside or file.named for file in files]
    stale = len(set(images)) < len(images) and len(set(by_stem)) == len(by_stem)
    first = doubtful[0]
    source.notes.append(
        f'in {len(doubtful)} JSON files, imagePath is not the image with the name of the file '
        f'({source.folder.name(first.path)}: {source.folder.name(first.named or "")}), '
        + (
            'and several name the same image, perhaps renamed since: file names were used'
            if stale
            else 'and imagePath was used, as LabelMe does. If images were renamed, correct it'
        )
    )
    return stale


def _is_labelme(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get('shapes'), list)


def _labels(path: Path, content: dict[str, Any]) -> Labels:
    labels = Labels(path, annotated_size(content.get('imageWidth'), content.get('imageHeight')))
    groups: dict[tuple[str, str], Box] = {}
    for number, shape in enumerate(content['shapes'], 1):
        box = labels.read(f'shape {number}', _box, shape)
        group = shape.get('group_id') if isinstance(shape, dict) else None
        if box and group is not None:
            # Parts of one object, for example if another one occludes it.
            labels.boxes.remove(box)
            key = (box.label, str(group))
            groups[key] = box.union(groups[key]) if key in groups else box
    labels.boxes += groups.values()
    return labels


def _box(shape: dict[str, Any]) -> Box:
    kind, points = shape.get('shape_type') or 'polygon', shape['points']
    label = shape.get('label')
    if kind in NO_OUTLINE:
        raise NoOutline(f'a {kind}, which has no area')
    if label is None:
        raise ValueError('a shape without a class name')
    if kind == 'circle':
        (x, y), (edge_x, edge_y) = points
        radius = math.hypot(edge_x - x, edge_y - y)
        return Box(str(label), x - radius, y - radius, x + radius, y + radius)
    if kind not in OUTLINES and len(points) < 3:
        raise ValueError(f'shape_type {kind} is not known')
    return Box.around(str(label), points)
