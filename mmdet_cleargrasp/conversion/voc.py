"""Pascal VOC: an XML file for every image, boxes by their corners."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element

from .files import read_lines, read_xml
from .source import Box, Folder, Source

TITLE = "Pascal VOC's XML files"
LISTS_IMAGES = False

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')


def recognize(folder: Folder) -> bool:
    """Whether one of the first XML files is Pascal VOC's."""
    return any(_is_voc(read_xml(path)) for path in folder.with_suffix('.xml')[:20])


def read(folder: Folder) -> Source:
    """Read images and boxes, and the splits of ``ImageSets/Main`` where they are.

    Pixels count from 1 in the original, where ``xmax`` is the last pixel of the object, so that 1
    off ``xmin`` and ``ymin`` gives the edges. Later tools write edges from 0, often with
    fractions: a 0 or a fraction anywhere says so for all files.
    """
    source = Source(folder)
    roots = {path: read_xml(path) for path in folder.with_suffix('.xml')}
    known = {path: root for path, root in roots.items() if _is_voc(root)}
    for path in roots.keys() - known.keys():
        source.skip(path, "no XML of Pascal VOC's")
    origin = 0 if any(_counts_from_zero(root) for root in known.values()) else 1
    source.notes.append(
        'pixels count from 0, since there are zeros or fractions'
        if origin == 0
        else 'pixels count from 1, as in the original; tools that count from 0 are off by one'
    )
    splits = _splits(folder)
    for path, root in sorted(known.items()):
        image = folder.find_image(root.findtext('filename') or '', path)
        image = image or folder.find_by_stem(path.stem, path)
        if image is None:
            source.skip(path, 'its image is not there')
            continue
        boxes = []
        for thing in root.iter('object'):
            try:
                boxes.append(_box(thing, origin))
            except ValueError as error:
                source.skip(path, f'an object: {error}')
        source.add(image, boxes, _size(root), splits.get(path.stem))
    return source


def _is_voc(root: Element | None) -> bool:
    return root is not None and root.tag == 'annotation'


def _corners(thing: Element) -> list[str]:
    return [(thing.findtext(f'bndbox/{corner}') or '').strip() for corner in CORNERS]


def _counts_from_zero(root: Element) -> bool:
    corners: Iterable[str] = (text for thing in root.iter('object') for text in _corners(thing))
    return any(not text.lstrip('-').isdigit() or int(text) == 0 for text in corners if text)


def _box(thing: Element, origin: int) -> Box:
    label = (thing.findtext('name') or '').strip()
    if not label:
        raise ValueError('no name')
    try:
        left, top, right, bottom = (float(text) for text in _corners(thing))
    except ValueError:
        raise ValueError(f'bndbox has no four numbers {", ".join(CORNERS)}') from None
    left, right = sorted((left, right))
    top, bottom = sorted((top, bottom))
    return Box(label, left - origin, top - origin, right, bottom)


def _size(root: Element) -> tuple[int, int] | None:
    try:
        size = int(root.findtext('size/width') or 0), int(root.findtext('size/height') or 0)
    except ValueError:
        return None
    return size if all(size) else None


def _splits(folder: Folder) -> dict[str, str]:
    lists = {
        name: folder.root.rglob(f'ImageSets/Main/{name}.txt') for name in ('train', 'val', 'test')
    }
    return {
        line.split()[0]: name for name, paths in lists.items() for path in paths
        for line in read_lines(Path(path))
    }  # fmt: skip
