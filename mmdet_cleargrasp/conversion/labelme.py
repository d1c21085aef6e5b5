"""LabelMe: a JSON file beside every image, with shapes of many kinds."""

from __future__ import annotations

import math
from typing import Any

from .files import read_json
from .source import FAULTS, Box, Folder, Source, describe

TITLE = "LabelMe's JSON files"
#: Images without a file are taken as images without plates.
LISTS_IMAGES = False

#: Shapes that are drawn by points which the box goes around.
AROUND_POINTS = ('polygon', 'rectangle', 'oriented_rectangle', 'mask')


def recognize(folder: Folder) -> bool:
    """Whether one of the first JSON files is LabelMe's."""
    return any(_is_labelme(read_json(path)) for path in folder.with_suffix('.json')[:20])


def read(folder: Folder) -> Source:
    """Read images and boxes; circles count with their extent, points and lines not at all."""
    source = Source(folder)
    for path in folder.with_suffix('.json'):
        content = read_json(path)
        if not _is_labelme(content):
            source.skip(path, "no JSON of LabelMe's")
            continue
        image = folder.find_image(str(content.get('imagePath') or ''), path)
        image = image or folder.find_by_stem(path.stem, path)
        if image is None:
            source.skip(path, 'its image is not there')
            continue
        boxes: dict[object, Box] = {}
        for index, shape in enumerate(content['shapes']):
            try:
                box, group = _box(shape), shape.get('group_id')
            except FAULTS as error:
                source.skip(path, f'a shape: {describe(error)}')
                continue
            # Parts of one thing, as where something stands before it.
            key = index if group is None else (box.label, str(group))
            boxes[key] = box.and_box(boxes[key]) if key in boxes else box
        source.add(image, boxes.values(), _size(content))
    return source


def _is_labelme(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get('shapes'), list)


def _size(content: dict[str, Any]) -> tuple[float, float] | None:
    size = content.get('imageWidth'), content.get('imageHeight')
    return size if all(isinstance(side, int | float) for side in size) else None


def _box(shape: dict[str, Any]) -> Box:
    kind, label, points = shape.get('shape_type') or 'polygon', str(shape['label']), shape['points']
    if kind == 'circle':
        (x, y), (edge_x, edge_y) = points
        radius = math.hypot(edge_x - x, edge_y - y)
        return Box.around(label, [(x - radius, y - radius), (x + radius, y + radius)])
    if kind in AROUND_POINTS:
        return Box.around(label, points)
    raise ValueError(f'{kind} is no outline')
