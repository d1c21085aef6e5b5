"""CVAT for images: one XML file with every image and its shapes."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

from .boxes import Box
from .files import UnreadableFile, read_xml, readable
from .folder import Folder, NotFound
from .labels import Labels, NoOutline, annotated_size
from .source import Source

TITLE = "CVAT's XML ('CVAT for images 1.1')"

#: Shapes without area.
NO_OUTLINE = ('polyline', 'points', 'skeleton', 'cuboid')
#: Kinds of labels that are not classes of boxes.
NO_CLASSES = ('tag', *NO_OUTLINE)
#: How many files are looked at to recognize the format.
LOOKED_AT = 20


def recognize(folder: Folder) -> bool:
    """Whether an XML file is CVAT's."""
    return any(_is_cvat(readable(read_xml, p)) for p in folder.with_suffix('.xml')[:LOOKED_AT])


def read(folder: Folder) -> Source:
    """Read images and boxes; rotated boxes, polygons, ellipses and masks with their extent."""
    source = Source(folder)
    for path in folder.with_suffix('.xml'):
        try:
            root = read_xml(path)
        except UnreadableFile as error:
            source.skip_orphan(path, str(error))
            continue
        if _is_cvat(root):
            _read_file(source, path, root)
        else:
            source.skip_file(path, f'not a CVAT file: it has <{root.tag}>')
    return source


def _read_file(source: Source, path: Path, root: Element) -> None:
    if root.find('track') is not None:
        source.skip_orphan(
            path,
            "tracks of CVAT for video, which are not supported: export as 'CVAT for images 1.1'",
        )
    for label in root.iterfind('meta//labels/label'):
        name, kind = label.findtext('name') or '', label.findtext('type') or ''
        if kind in NO_CLASSES:
            source.no_classes[name] = f'a label of the type {kind}, and no box has it'
        if name and name not in source.classes:
            source.classes.append(name)
    for entry in root.iterfind('image'):
        try:
            image = source.folder.find_image(entry.get('name', ''), path)
        except NotFound as error:
            source.skip_orphan(path, error.reason, error.detail)
            continue
        size = annotated_size(entry.get('width'), entry.get('height'))
        labels = Labels(path, size, entry.get('subset'))
        for number, shape in enumerate(entry, 1):
            if shape.tag != 'tag':
                labels.read(f'{shape.tag} {number}', _box, shape)
        source.add(image, labels)


def _is_cvat(root: Element | None) -> bool:
    return root is not None and root.tag == 'annotations'


def _box(shape: Element) -> Box:
    label = shape.get('label', '')

    def numbers(*names: str) -> list[float]:
        missing = [name for name in names if shape.get(name) is None]
        if missing:
            raise ValueError(f'a {shape.tag} without {missing[0]}')
        return [float(shape.get(name, '')) for name in names]

    if shape.tag == 'box':
        left, top, right, bottom = numbers('xtl', 'ytl', 'xbr', 'ybr')
        return Box(label, left, top, right, bottom).rotated(float(shape.get('rotation', 0)))
    if shape.tag == 'ellipse':
        x, y, rx, ry = numbers('cx', 'cy', 'rx', 'ry')
        angle = math.radians(float(shape.get('rotation', 0)))
        half_w = math.hypot(rx * math.cos(angle), ry * math.sin(angle))
        half_h = math.hypot(rx * math.sin(angle), ry * math.cos(angle))
        return Box(label, x - half_w, y - half_h, x + half_w, y + half_h)
    if shape.tag == 'polygon':
        pairs = shape.get('points', '').split(';')
        return Box.around(label, [pair.split(',') for pair in pairs])
    if shape.tag == 'mask':
        left, top, width, height = numbers('left', 'top', 'width', 'height')
        return Box(label, left, top, left + width, top + height)
    if shape.tag in NO_OUTLINE:
        raise NoOutline(f'a {shape.tag}, which has no area')
    raise ValueError(f'<{shape.tag}> is an unknown shape')
