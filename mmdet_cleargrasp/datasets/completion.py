"""Copies of annotation files with everything that MMDetection and pycocotools need.

MMDetection reads annotation files itself, so values that other tools omit have to be in a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..utils.errors import DataError
from .annotations import (
    CONVERT,
    SIZE_FROM_FILE,
    CocoFile,
    check_sections,
    load_coco_dict,
    write_coco,
)
from .box_conventions import is_box, other_convention
from .images import read_size
from .split import Split


def completed(split: Split, out_file: str | Path, classes: Sequence[str] | None = None) -> Split:
    """A split with a complete annotation file, which is a copy if the file is incomplete.

    Added are the sizes of images, areas of boxes and ``iscrowd``; ids become numbers, those of
    annotations from 1 on, since pycocotools counts a box of id 0 as missed; and the byte order mark
    goes. Roboflow's root category, which has no box, is dropped.

    Args:
        split: As found.
        out_file: Path of a copy.
        classes: Names of the categories in the order to write; by default the file's.

    Raises:
        DataError: The file cannot be read, or values are missing that cannot be added.
    """
    coco = read_completed(split)
    if classes is not None:
        coco = _in_order(coco, classes)
    if _is_complete(split.ann_file, coco):
        return split
    write_coco(out_file, coco.images, coco.annotations, coco.categories)
    return Split(Path(out_file), split.img_dir)


def read_completed(split: Split) -> CocoFile:
    """Read an annotation file, and add missing values.

    Args:
        split: Annotation file and images.

    Raises:
        DataError: The file cannot be read, or values are missing that cannot be added.
    """
    content = load_coco_dict(split.ann_file)
    for annotation in _dicts(content.get('annotations')):
        annotation.setdefault('iscrowd', 0)
        if annotation.get('area') is None and is_box(annotation.get('bbox')):
            annotation['area'] = annotation['bbox'][2] * annotation['bbox'][3]
    for image in _dicts(content.get('images')):
        if not (image.get('width') and image.get('height')) and 'file_name' in image:
            image |= _size(split.img_dir, str(image['file_name']))
    for number, annotation in enumerate(_dicts(content.get('annotations')), 1):
        annotation.setdefault('id', number)
    coco = check_sections(split.ann_file, content)
    _refuse_other_boxes(coco)
    coco = CocoFile(coco.path, coco.images, coco.annotations, _without_root(coco))
    return _with_numbers(coco)


def common_classes(files: Sequence[CocoFile]) -> tuple[str, ...]:
    """The common classes of several annotation files: those of the first, in its order.

    Args:
        files: The training file first.

    Raises:
        DataError: No categories, or another file has boxes of other categories.
    """
    first = files[0]
    if not first.classes:
        raise DataError(f'{first.path} lists no categories')
    for coco in files[1:]:
        used = {annotation['category_id'] for annotation in coco.annotations}
        names = [c['name'] for c in coco.categories if c['id'] in used]
        other = [name for name in names if name not in first.classes]
        if other:
            raise DataError(
                f'the categories differ: {coco.path} has boxes of {", ".join(map(repr, other))}, '
                f'but {first.path} has {", ".join(map(repr, first.classes))} alone. Give the '
                'classes the same names'
            )
    return first.classes


def _refuse_other_boxes(coco: CocoFile) -> None:
    """Refuse boxes that are not x, y, width and height; the check of a run reports single ones."""
    malformed = [a['id'] for a in coco.annotations if not is_box(a['bbox'])]
    fault = other_convention(coco) if not malformed else None
    if coco.annotations and len(malformed) == len(coco.annotations):
        fault = 'no bbox is four numbers x, y, width, height'
    if fault:
        raise DataError(f'{coco.path}: {fault}. {CONVERT}')


def _is_complete(path: Path, coco: CocoFile) -> bool:
    try:
        found = load_coco_dict(path, as_pycocotools=True)
    except DataError:
        return False
    numbers = all(isinstance(a['id'], int) and a['id'] > 0 for a in coco.annotations)
    sections = (coco.images, coco.annotations, coco.categories)
    return numbers and sections == tuple(
        found.get(key) for key in ('images', 'annotations', 'categories')
    )


def _in_order(coco: CocoFile, classes: Sequence[str]) -> CocoFile:
    """Categories in the order of these names; missing ones are added, without boxes."""
    by_name = {category['name']: category for category in coco.categories}
    free = 1 + max((category['id'] for category in coco.categories), default=0)
    missing = [name for name in classes if name not in by_name]
    by_name |= {name: {'id': free + k, 'name': name} for k, name in enumerate(missing)}
    used = {annotation['category_id'] for annotation in coco.annotations}
    others = [c for c in coco.categories if c['id'] in used and c['name'] not in classes]
    ordered = [*(by_name[name] for name in classes), *others]
    return CocoFile(coco.path, coco.images, coco.annotations, ordered)


def _without_root(coco: CocoFile) -> list[dict[str, Any]]:
    """Categories without Roboflow's root, which has no box and is the others' supercategory."""
    used = {annotation['category_id'] for annotation in coco.annotations}
    parents = {
        category.get('supercategory')
        for category in coco.categories
        if category.get('supercategory') != category['name']
    }
    return [c for c in coco.categories if c['id'] in used or c['name'] not in parents]


def _with_numbers(coco: CocoFile) -> CocoFile:
    """The file with numeric ids of images and categories."""
    images = {image['id']: k for k, image in enumerate(coco.images, 1)}
    categories = {category['id']: k for k, category in enumerate(coco.categories, 1)}
    ids = [*images, *categories]
    unique = len(images) == len(coco.images) and len(categories) == len(coco.categories)
    if not unique or all(type(key) is int for key in ids):
        return coco
    return CocoFile(
        coco.path,
        [{**image, 'id': images[image['id']]} for image in coco.images],
        [
            {
                **annotation,
                'image_id': images.get(annotation['image_id'], annotation['image_id']),
                'category_id': categories.get(annotation['category_id'], annotation['category_id']),
            }
            for annotation in coco.annotations
        ],
        [{**category, 'id': categories[category['id']]} for category in coco.categories],
    )


def _dicts(section: Any) -> list[dict[str, Any]]:
    entries = section if isinstance(section, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def _size(img_dir: Path, name: str) -> dict[str, int | bool]:
    """Size of an image file, marked, since it cannot tell how EXIF's rotation was treated."""
    try:
        width, height = read_size(img_dir / name)
    except DataError:
        return {}  # the check of the entries, or of the images, says so
    return {'width': width, 'height': height, SIZE_FROM_FILE: True}
