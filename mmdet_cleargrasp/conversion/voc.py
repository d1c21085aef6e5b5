"""Pascal VOC: an XML file for every image, boxes by their corners."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

from ..datasets.images import IMAGE_SUFFIXES, normalized
from ..datasets.split_names import split_of
from .boxes import Box
from .files import UnreadableFile, read_lines, read_xml, readable
from .folder import Folder, NotFound
from .labels import Labels, NoOutline, annotated_size
from .source import Source

TITLE = "Pascal VOC's XML files"

CORNERS = ('xmin', 'ymin', 'xmax', 'ymax')
#: How many files are looked at to recognize the format.
LOOKED_AT = 20
#: Suffix of a line in a list: whether the image has a class.
PRESENCE = re.compile(r'\s+-?[01]$')


def recognize(folder: Folder) -> bool:
    """Whether one of the first XML files is Pascal VOC's."""
    files = folder.with_suffix('.xml')[:LOOKED_AT]
    return any(_is_voc(readable(read_xml, path)) for path in files)


def read(folder: Folder) -> Source:
    """Read images and boxes, and the splits of ``ImageSets/Main`` where they are.

    VOC's coordinates start at 1, and ``xmax`` is the last pixel of the object: its edges are
    ``xmin - 1`` and ``xmax``. Later tools write edges that start at 0, often with fractions: a 0 or
    a fraction in any file means this for all files.
    """
    source = Source(folder)
    roots: dict[Path, Element] = {}
    for path in folder.with_suffix('.xml'):
        try:
            root = read_xml(path)
        except UnreadableFile as error:
            source.skip_unreadable(path, str(error))
            continue
        if _is_voc(root):
            roots[path] = root
        else:
            source.skip_foreign(path, f'not a Pascal VOC file: it has <{root.tag}>')
    origin = 0 if any(_counts_from_zero(root) for root in roots.values()) else 1
    source.notes.append(
        'coordinates start at 0, since some are 0 or fractions'
        if origin == 0
        else 'coordinates start at 1, as in Pascal VOC; tools that start at 0 are off by one'
    )
    split = _splits(source)
    for path, root in sorted(roots.items()):
        try:
            image = _image(folder, path, root)
        except NotFound as error:
            source.skip_orphan(path, 'its image does not exist', error.detail)
            continue
        size = annotated_size(root.findtext('size/width'), root.findtext('size/height'))
        labels = Labels(path, size, split(path))
        for number, thing in enumerate(root.iter('object'), 1):
            labels.read(f'object {number}', partial(_box, origin=origin), thing)
        source.add(image, labels)
    return source


def _image(folder: Folder, path: Path, root: Element) -> Path:
    """The image with the name of the file, otherwise the one in ``filename``."""
    try:
        return folder.find_by_stem(path.stem, path)
    except NotFound:
        pass
    name = root.findtext('filename') or ''
    try:
        return folder.find_image(name, path)
    except NotFound as error:
        try:
            return folder.find_by_stem(name, path)
        except NotFound:
            raise error from None


def _is_voc(root: Element | None) -> bool:
    return root is not None and root.tag == 'annotation'


def _corners(thing: Element) -> list[str]:
    return [(thing.findtext(f'bndbox/{corner}') or '').strip() for corner in CORNERS]


def _counts_from_zero(root: Element) -> bool:
    corners = (text for thing in root.iter('object') for text in _corners(thing))
    # Zero, or anything that is no whole number.
    return any(re.fullmatch(r'-?0+|(?!-?\d+$).+', text) for text in corners if text)


def _box(thing: Element, origin: int) -> Box:
    label = thing.findtext('name') or ''
    if (thing.findtext('deleted') or '').strip() == '1':
        raise NoOutline('a deleted object')
    turned = thing.find('robndbox')
    if thing.find('bndbox') is None and turned is not None:
        return _rotated(label, turned)
    points = [(x.text or '', y.text or '') for x, y in _polygon(thing)]
    if thing.find('bndbox') is None and points:
        return Box.around(label, points)
    try:
        left, top, right, bottom = (float(text) for text in _corners(thing))
    except ValueError:
        raise ValueError(f'bndbox has no four numbers {", ".join(CORNERS)}') from None
    left, right = sorted((left, right))
    top, bottom = sorted((top, bottom))
    return Box(label, left - origin, top - origin, right, bottom).rotated(_rotation(thing))


def _rotated(label: str, turned: Element) -> Box:
    """A box of roLabelImg: center, sides and an angle in radians."""
    keys = ('cx', 'cy', 'w', 'h', 'angle')
    x, y, w, h, angle = (float(turned.findtext(key) or 'nan') for key in keys)
    return Box(label, x - w / 2, y - h / 2, x + w / 2, y + h / 2).rotated(math.degrees(angle))


def _polygon(thing: Element) -> Iterator[tuple[Element, Element]]:
    """Coordinates of a polygon in the format of the LabelMe website."""
    for point in thing.iterfind('polygon/pt'):
        x, y = point.find('x'), point.find('y')
        if x is not None and y is not None:
            yield x, y


def _rotation(thing: Element) -> float:
    """Degrees clockwise by which CVAT rotated a box after it wrote ``bndbox``."""
    for attribute in thing.iterfind('attributes/attribute'):
        if attribute.findtext('name') == 'rotation':
            return float(attribute.findtext('value') or 0)
    return 0.0


def _splits(source: Source) -> Callable[[Path], str | None]:
    """A function that returns the list in ``ImageSets/Main`` of an XML file."""
    lists = [
        path
        for path in source.folder.with_suffix('.txt')
        if [part.casefold() for part in path.parts[-3:-1]] == ['imagesets', 'main']
    ]
    splits: dict[str, str] = {}
    for path in lists:
        split = _split_name(path.stem, [other.stem for other in lists])
        try:
            lines = read_lines(path) if split else []
        except UnreadableFile as error:
            source.skip_orphan(path, str(error))
            continue
        for line in lines:
            for entry in (line, PRESENCE.sub('', line)):
                place = _place(entry)
                for name in (place, place.rpartition('/')[2]):
                    splits.setdefault(name, split or '')

    def split_of_file(path: Path) -> str | None:
        parts = _place(source.folder.name(path)).split('/')
        ends = ('/'.join(parts[start:]) for start in range(len(parts)))
        return next((splits[end] for end in ends if end in splits), None)

    return split_of_file


def _split_name(stem: str, stems: list[str]) -> str | None:
    """The split of a list: a known one, or the list's name, such as a CVAT subset."""
    if stem.casefold() == 'trainval':
        return None if any(split_of(other) == 'train' for other in stems) else 'train'
    return split_of(stem) or (None if stem.casefold() in ('default', 'all') else stem)


def _place(entry: str) -> str:
    """A list entry or file name without suffix, normalized for comparison."""
    stem, dot, suffix = normalized(entry).casefold().replace('\\', '/').rpartition('.')
    named = dot and f'.{suffix}' in (*IMAGE_SUFFIXES, '.xml')
    return (stem if named else stem + dot + suffix).strip('./')
