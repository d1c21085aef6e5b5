"""COCO in other layouts and spellings than training reads, such as Label Studio's export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .files import read_json
from .source import FAULTS, Box, Folder, Source, describe, split_of

TITLE = 'COCO JSON under any name'
#: Images without plates are listed as well: what is not, was not looked at.
LISTS_IMAGES = True

#: Pixels by which a listed size may differ before it counts as another image's; some tools write
#: none at all.
UNKNOWN_SIZES = (None, 0)


def recognize(folder: Folder) -> bool:
    """Whether a JSON file holds lists of images and annotations."""
    return any(_is_coco(read_json(path)) for path in folder.with_suffix('.json'))


def read(folder: Folder) -> Source:
    """Read images and boxes of every COCO file in the folder."""
    source = Source(folder)
    for path in folder.with_suffix('.json'):
        content = read_json(path)
        if _is_coco(content):
            _read_file(source, path, content)
        elif content is None:
            source.skip(path, 'no valid JSON')
    return source


def _read_file(source: Source, path: Path, content: dict[str, Any]) -> None:
    names = {}
    for category in _entries(content.get('categories')):
        if 'id' in category and category.get('name'):
            names[str(category['id'])] = str(category['name'])
    source.classes += [name for name in names.values() if name not in source.classes]
    by_image = defaultdict(list)
    for annotation in _entries(content['annotations']):
        by_image[str(annotation.get('image_id'))].append(annotation)
    for entry in _entries(content['images']):
        name = str(entry.get('file_name') or '')
        annotations = by_image.pop(str(entry.get('id')), [])
        image = source.folder.find_image(name, path)
        if image is None:
            source.skip(name or path, 'the image is not there, or several are of that name')
            continue
        boxes = []
        for annotation in annotations:
            try:
                boxes.append(_box(annotation, names))
            except FAULTS as error:
                source.skip(name, f'annotation {annotation.get("id")}: {describe(error)}')
        source.add(image, boxes, _size(entry), split_of(path.name))
    for orphans in by_image.values():
        for annotation in orphans:
            source.skip(
                path, f'annotation of image {annotation.get("image_id")}, which is not listed'
            )


def _is_coco(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ('images', 'annotations')
    )


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    return (
        (entry for entry in value if isinstance(entry, dict))
        if isinstance(value, list)
        else iter(())
    )


def _size(entry: dict[str, Any]) -> tuple[float, float] | None:
    size = entry.get('width'), entry.get('height')
    return None if any(side in UNKNOWN_SIZES for side in size) else size


def _box(annotation: dict[str, Any], names: dict[str, str]) -> Box:
    label = names.get(str(annotation['category_id']))
    if label is None:
        raise ValueError(f'category {annotation["category_id"]} is not listed')
    if not annotation.get('bbox') and isinstance(annotation.get('segmentation'), list):
        outlines = annotation['segmentation']
        points = [(o[k], o[k + 1]) for o in outlines for k in range(0, len(o) - 1, 2)]
        return Box.around(label, points)
    left, top, width, height = (float(value) for value in annotation['bbox'])
    crowd = bool(annotation.get('iscrowd') or annotation.get('ignore'))
    return Box(label, left, top, left + width, top + height, crowd)
