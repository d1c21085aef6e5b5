"""CVAT for images: one XML file with every image and its shapes."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from .files import read_xml
from .source import FAULTS, Box, Folder, Source, split_of

TITLE = "CVAT's XML ('CVAT for images 1.1')"
#: Images without plates are listed as well: what is not, was not looked at.
LISTS_IMAGES = True

#: Shapes that outline nothing which a plate could be.
NO_OUTLINE = ('polyline', 'points', 'skeleton', 'cuboid')


def recognize(folder: Folder) -> bool:
    """Whether an XML file is CVAT's."""
    return any(_is_cvat(read_xml(path)) for path in folder.with_suffix('.xml')[:20])


def read(folder: Folder) -> Source:
    """Read images and boxes; rotated boxes, polygons, ellipses and masks with their extent."""
    source = Source(folder)
    for path in folder.with_suffix('.xml'):
        root = read_xml(path)
        if not _is_cvat(root):
            source.skip(path, "no XML of CVAT's")
            continue
        if root.find('track') is not None:
            source.skip(path, "tracks of a video; export as 'CVAT for images'")
        labels = [label.findtext('name') for label in root.iterfind('meta//labels/label')]
        source.classes += [label for label in labels if label and label not in source.classes]
        for entry in root.iterfind('image'):
            name = entry.get('name', '')
            image = folder.find_image(name, path)
            if image is None:
                source.skip(name or path, 'the image is not there')
                continue
            boxes = []
            for shape in entry:
                try:
                    box = _box(shape)
                except FAULTS:
                    source.skip(name, f'a {shape.tag} without its numbers')
                    continue
                if box:
                    boxes.append(box)
                elif shape.tag in NO_OUTLINE:
                    source.skip(name, f'a shape: {shape.tag} is no outline')
            source.add(image, boxes, _size(entry), split_of(entry.get('subset', '')))
    return source


def _is_cvat(root: Element | None) -> bool:
    return root is not None and root.tag == 'annotations'


def _size(entry: Element) -> tuple[int, int] | None:
    try:
        return int(entry.get('width', '')), int(entry.get('height', ''))
    except ValueError:
        return None


def _box(shape: Element) -> Box | None:
    """The box around a shape; ``None`` for tags and the like.

    Raises:
        TypeError, ValueError: Numbers are missing.
    """
    label = shape.get('label', '')

    def numbers(*names: str) -> list[float]:
        return [float(shape.get(name)) for name in names]

    if shape.tag == 'box':
        left, top, right, bottom = numbers('xtl', 'ytl', 'xbr', 'ybr')
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        return Box.around(label, _turned(corners, float(shape.get('rotation', 0))))
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
    return None


def _turned(points: list[tuple[float, float]], degrees: float) -> list[tuple[float, float]]:
    """Points of a box turned clockwise about its center."""
    x0, y0 = (sum(values) / len(values) for values in zip(*points, strict=True))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [
        (x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos)
        for x, y in points
    ]
