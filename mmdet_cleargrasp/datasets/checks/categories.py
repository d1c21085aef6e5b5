"""Ids and categories of an annotation file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ...utils.findings import Finding, error, examples, warning
from ..annotations import CocoFile, needs_renumbering

#: Categories, beyond which something else was taken for the class; LVIS has 1203.
MOST_CATEGORIES = 10_000


def check_ids(coco: CocoFile) -> Iterable[Finding]:
    """Check that ids are unique, and that those that annotations refer to exist.

    Args:
        coco: The annotation file.
    """
    for section in ('images', 'annotations', 'categories'):
        counts = Counter(entry['id'] for entry in getattr(coco, section))
        twice = [key for key, count in counts.items() if count > 1]
        if twice:
            yield error('', f'{coco.path}: {examples(twice)} used twice as id in {section!r}')
    if needs_renumbering(coco):
        yield error(
            '',
            f'{coco.path}: annotation ids have to be integers from 1 on, since pycocotools '
            'counts a box of id 0 as missed. Renumber them, or use --data-root, which does.',
        )
    if len(coco.categories) > MOST_CATEGORIES:
        yield error(
            '',
            f'{coco.path} lists {len(coco.categories):,} categories, expected at most '
            f'{MOST_CATEGORIES:,}: probably every box has its own. Merge them.',
        )
    names = Counter(coco.classes)
    shared = [name for name, count in names.items() if count > 1]
    if shared:
        yield error('', f'{coco.path}: {examples(shared)} is the name of several categories')
    images = {image['id'] for image in coco.images}
    categories = {category['id'] for category in coco.categories}
    for key, known in (('image_id', images), ('category_id', categories)):
        unknown = {a[key] for a in coco.annotations} - known
        if unknown:
            yield error(
                '', f'{coco.path}: annotations have {key} {examples(unknown)}, which does not exist'
            )
    if not coco.images:
        yield error('', f'{coco.path} lists no image')
    elif not coco.annotations:
        yield error('', f'{coco.path} has no box in {len(coco.images)} images')


def check_categories(coco: CocoFile, classes: Sequence[str]) -> Iterable[Finding]:
    """Compare the categories with the configured classes, and count their boxes.

    Args:
        coco: The annotation file.
        classes: The configured class names.
    """
    there, listed, wanted = coco.classes, set(coco.classes), set(classes)
    absent = [name for name in classes if name not in listed]
    if absent:
        yield error(
            '',
            f'{coco.path} has the categories {examples(there)}, the config asks for '
            f'{examples(classes)}: {examples(absent)} not in the file. Set '
            'classes to the names in the file, or use --data-root, which does.',
        )
        return
    order = tuple(name for name in there if name in wanted)
    if order != tuple(classes):
        # mmdet numbers labels in the file's order: another order in the config swaps the names.
        yield error(
            '',
            f'{coco.path} lists its categories as {examples(order)}, the config as '
            f"{examples(classes)}: mmdet labels by the file's order, so names would be swapped. "
            "Use the file's order.",
        )
    left_out = [name for name in there if name not in wanted]
    if left_out:
        yield warning(
            '', f'{coco.path}: categories {examples(left_out)} are not in classes and are ignored'
        )
    used = {a['category_id'] for a in coco.annotations}
    unused = [c['name'] for c in coco.categories if c['id'] not in used and c['name'] in wanted]
    if unused:
        yield warning(
            '', f'{coco.path} has no box of {examples(unused)}: it cannot be learned or scored'
        )
