"""COCO files in other forms than training reads, such as Label Studio's export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..datasets.box_conventions import READINGS, Numbers, Sample, are_shares, reading_of
from ..datasets.images import read_size
from ..utils.errors import DataError
from .boxes import Box
from .files import UnreadableFile, readable
from .folder import Folder, NotFound
from .labels import FAULTS, Labels, annotated_size
from .orientation import Size
from .source import Source

TITLE = 'COCO JSON under any name, in any number of files'

#: Names of a box's edges, in files that have a dict instead of a list.
EDGES = (('left', 'x', 'xmin', 'x1'), ('top', 'y', 'ymin', 'y1'))
FAR_EDGES = (('right', 'xmax', 'x2'), ('bottom', 'ymax', 'y2'))
SIDES = (('width', 'w'), ('height', 'h'))


def recognize(folder: Folder) -> bool:
    """Whether a JSON file has lists of images and annotations."""
    return any(_is_coco(readable(folder.read_json, p)) for p in folder.with_suffix('.json'))


def read(folder: Folder) -> Source:
    """Read images and boxes of every COCO file in the folder; boxes of one image are merged."""
    source = Source(folder)
    for path in folder.with_suffix('.json'):
        try:
            content = folder.read_json(path)
        except UnreadableFile as error:
            source.skip_orphan(path, str(error))
            continue
        if _is_coco(content):
            _CocoFile(source, path, content).read()
        else:
            source.skip_file(path, 'not a COCO file: it has no lists "images" and "annotations"')
    return source


class _CocoFile:
    """One COCO file and the convention of its boxes."""

    def __init__(self, source: Source, path: Path, content: dict[str, Any]) -> None:
        self.source, self.path = source, path
        self.images = list(_entries(content['images']))
        self.annotations = list(_entries(content['annotations']))
        #: Ids of several images, and of several categories: boxes of theirs could be of any.
        self.shared_ids = _shared_ids(self.images, 'file_name')
        self.shared_categories = _shared_ids(_entries(content.get('categories')), 'name')
        self.names = self._names(list(_entries(content.get('categories'))))
        self.sizes = {str(image.get('id')): _size(image) for image in self.images}
        self.shares, self.reading = self._convention()
        # A real crowd has a mask in run-length encoding.
        self.all_crowd = len(self.annotations) > 1 and all(
            _is_crowd(annotation) and not isinstance(annotation.get('segmentation'), dict)
            for annotation in self.annotations
        )
        if self.all_crowd:
            source.notes.append(
                f'warning: {source.folder.name(path)}: every box is marked iscrowd, as some '
                'tools do by mistake: iscrowd was ignored'
            )

    def _names(self, categories: list[dict[str, Any]]) -> dict[str, str]:
        names = {
            str(category['id']): ' '.join(str(category['name']).split())
            for category in categories
            if 'id' in category and category.get('name')
        }
        parents = {category.get('supercategory') for category in categories if 'name' in category
                   and isinstance(category.get('supercategory'), str)}  # fmt: skip
        for category in categories:
            root = category.get('supercategory') in (None, 'none', '')
            name = category.get('name')
            if root and isinstance(name, str) and name in parents:
                self.source.no_classes[' '.join(name.split())] = (
                    'it has no box and is the supercategory of the others, as Roboflow writes it'
                )
        self.source.classes += [n for n in names.values() if n not in self.source.classes]
        return names

    def _convention(self) -> tuple[bool, str]:
        """Whether boxes are in relative coordinates, and the meaning of their four numbers."""
        format_reading = next(iter(READINGS))
        found: list[tuple[Numbers, Size | None, Any]] = []
        sizes = {str(image.get('id')): self._listed_or_read_size(image) for image in self.images}
        for annotation in self.annotations:
            try:
                left, top, width, height = (float(value) for value in annotation['bbox'])
            except FAULTS:
                continue
            size = sizes.get(str(annotation.get('image_id')))
            found.append(((left, top, width, height), size, annotation.get('area')))
        shares = are_shares([numbers for numbers, _, _ in found])
        samples = [
            Sample(n, size, None if shares else _number(area))
            for n, listed, area in found
            if (size := (1.0, 1.0) if shares else listed)
        ]
        reading = reading_of(samples, format_reading)
        meaning = [f'bbox holds {reading}'] if reading != format_reading else []
        meaning += ['bbox is in relative coordinates'] if shares else []
        if meaning:
            name = self.source.folder.name(self.path)
            self.source.notes.append(
                f'{name}: {" and ".join(meaning)}, and was converted accordingly'
            )
        return shares, reading

    def _listed_or_read_size(self, image: dict[str, Any]) -> Size | None:
        try:
            name = str(image.get('file_name') or '')
            return _size(image) or read_size(self.source.folder.find_image(name, self.path))
        except (NotFound, DataError):
            return None

    def read(self) -> None:
        """Add the file's images and boxes to the source."""
        if not self.images:
            self.source.skip_orphan(self.path, 'it lists no image')
        by_image: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for annotation in self.annotations:
            by_image[str(annotation.get('image_id'))].append(annotation)
        for image in self.images:
            name = str(image.get('file_name') or '')
            annotations = by_image.pop(str(image.get('id')), [])
            try:
                path = self.source.folder.find_image(name, self.path)
            except NotFound as error:
                self.source.skip_orphan(self.path, error.reason, error.detail)
                continue
            reason = self._why_without_boxes(image)
            if reason:
                self.source.skip_image(path, reason, self.source.folder.name(self.path))
                continue
            split = self.source.folder.split(self.path)
            labels = Labels(self.path, self.sizes[str(image.get('id'))], split, self.shares)
            for annotation in annotations:
                labels.read(f'annotation {annotation.get("id")}', self._box, annotation)
            self.source.add(path, labels)
        for image_id, orphans in by_image.items():
            for annotation in orphans:
                self.source.skip_orphan(
                    self.path,
                    'an annotation of an image that is not listed',
                    f'annotation {annotation.get("id")} of image {image_id}',
                )

    def _why_without_boxes(self, image: dict[str, Any]) -> str | None:
        """Why nobody can tell which boxes are an image's; it may not count as one without any."""
        if image.get('id') is None:
            return 'it has no id, by which annotations name it'
        if str(image['id']) in self.shared_ids:
            return f'several images have its id, {str(image["id"])[:40]}'
        return None

    def _box(self, annotation: dict[str, Any]) -> Box:
        category = annotation['category_id']
        label = self.names.get(str(category))
        if label is None:
            known = 'null' if category is None else f'{category}, which is not listed'
            raise ValueError(f'category_id is {known}')
        if str(category) in self.shared_categories:
            raise ValueError(f'category_id is {category}, the id of several categories')
        outline = annotation.get('segmentation')
        if annotation.get('bbox'):
            box = self._from_bbox(label, annotation['bbox'])
            box = box if outline else box.rotated(_rotation(annotation))
        elif isinstance(outline, list) and outline:
            box = Box.around(label, _points(outline))
        else:
            raise ValueError('no bbox')
        crowd = _is_crowd(annotation) and not self.all_crowd
        return Box(label, *box.sides, crowd or bool(annotation.get('ignore')))

    def _from_bbox(self, label: str, bbox: Any) -> Box:
        if isinstance(bbox, Mapping):
            return _from_names(label, bbox)
        if not isinstance(bbox, list) or len(bbox) != 4:
            raise ValueError('bbox is not four numbers x, y, width, height')
        x, y, width, height = (float(value) for value in bbox)
        return Box(label, *READINGS[self.reading](x, y, width, height))


def _is_coco(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ('images', 'annotations')
    )


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    entries = value if isinstance(value, list) else []
    return (entry for entry in entries if isinstance(entry, dict))


def _shared_ids(entries: Iterable[dict[str, Any]], name: str) -> set[str]:
    """Ids that several entries of different names have."""
    names: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        names[str(entry.get('id'))].add(str(entry.get(name)))
    return {key for key, found in names.items() if len(found) > 1}


def _is_crowd(annotation: dict[str, Any]) -> bool:
    return bool(annotation.get('iscrowd'))


def _rotation(annotation: dict[str, Any]) -> float:
    """Degrees clockwise by which CVAT rotated a box after it wrote its ``bbox``."""
    attributes = annotation.get('attributes')
    return float((attributes.get('rotation') if isinstance(attributes, dict) else 0) or 0)


def _points(outline: list[Any]) -> Iterator[tuple[float, float]]:
    """Points of a polygon or several, flat lists of x and y or pairs of them."""
    if all(isinstance(value, int | float) for value in outline):
        return zip(outline[::2], outline[1::2], strict=True)
    if all(isinstance(value, list) and len(value) == 2 for value in outline):
        return ((x, y) for x, y in outline)
    return (point for polygon in outline for point in _points(polygon))


def _from_names(label: str, bbox: Mapping[str, Any]) -> Box:
    def value(names: tuple[str, ...]) -> float | None:
        return next((float(bbox[name]) for name in names if name in bbox), None)

    def edges(near: tuple[str, ...], far: tuple[str, ...], side: tuple[str, ...]) -> list[float]:
        start, end, length = value(near), value(far), value(side)
        if end is None and start is not None and length is not None:
            end = start + length
        if start is None or end is None:
            raise ValueError('bbox has no numbers x, y, width and height')
        return [start, end]

    (left, right), (top, bottom) = map(edges, EDGES, FAR_EDGES, SIDES)
    return Box(label, left, top, right, bottom)


def _size(image: dict[str, Any]) -> Size | None:
    return annotated_size(image.get('width'), image.get('height'))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
