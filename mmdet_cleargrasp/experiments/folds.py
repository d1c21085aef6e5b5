"""Cross-validation: a small data set split into folds, each of which is tested on once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..datasets.annotations import CocoFile, write_coco
from ..datasets.completion import common_classes, read_completed
from ..datasets.groups import groups_by
from ..datasets.layout import find_splits
from ..datasets.random_split import lot
from ..utils.errors import DataError

#: One fold for the test, one for validation, and one to train on.
MIN_FOLDS = 3


@dataclass(frozen=True)
class Folds:
    """A data set in folds.

    Attributes:
        folders: A data folder for each fold, with ``train``, ``val`` and ``test``.
        whole: Annotations of all images; their ids are those in the folds.
        files: Names of all images.
    """

    folders: tuple[Path, ...]
    whole: Path
    files: tuple[str, ...]


def write_folds(data_root: Path, out: Path, count: int, group_by: str | None = None) -> Folds:
    """Split a data set into folds and write a data folder for each.

    Fold k is the test of folder k, the next fold its validation, on which checkpoint and score
    threshold are chosen, and the others are trained on. A ``test`` split of the data is not used.

    Args:
        data_root: In one of the layouts of :func:`.find_splits`.
        out: Gets ``fold-1``, ``fold-2`` and so on, and ``all.json``.
        count: Number of folds, from 3 on.
        group_by: Keeps images of one group in one fold, see :func:`.groups_by`.

    Raises:
        DataError: No such data, or fewer groups with boxes than folds.
        ConfigError: An invalid expression.
    """
    pool = _pooled(data_root, out / 'all.json')
    annotated = {annotation['image_id'] for annotation in pool.annotations}
    names = {image['file_name']: image['id'] in annotated for image in pool.images}
    fold_of = assign_folds(names, count, group_by)
    write_coco(pool.path, pool.images, pool.annotations, pool.categories)
    folders = tuple(out / f'fold-{k}' for k in range(1, count + 1))
    for k, folder in enumerate(folders):
        members: dict[str, set[Any]] = {'train': set(), 'val': set(), 'test': set()}
        for image in pool.images:
            place = (fold_of[image['file_name']] - k) % count
            members[('test', 'val')[place] if place < 2 else 'train'].add(image['id'])
        for split, ids in members.items():
            write_coco(
                folder / 'annotations' / f'{split}.json',
                [image for image in pool.images if image['id'] in ids],
                [a for a in pool.annotations if a['image_id'] in ids],
                pool.categories,
            )
        _link_images(folder / 'images', data_root)
    return Folds(folders, pool.path, tuple(names))


def assign_folds(
    names: Mapping[str, bool], count: int, group_by: str | None = None
) -> dict[str, int]:
    """Assign every image to a fold, so that folds have about the same size.

    Args:
        names: Files of images, and whether each has a box.
        count: Number of folds.
        group_by: As in :func:`.groups_by`.

    Returns:
        Index of the fold by file, from 0; it depends only on the names.

    Raises:
        DataError: Fewer groups with boxes than folds.

    Example:
        >>> assign_folds({'a1.jpg': True, 'a2.jpg': True, 'b1.jpg': True}, 2, r'[ab]')
        {'a1.jpg': 0, 'a2.jpg': 0, 'b1.jpg': 1}
    """
    group = groups_by(group_by)
    members: dict[str, list[str]] = defaultdict(list)
    for name in names:
        members[group(name)].append(name)
    boxes = {key: sum(names[name] for name in files) for key, files in members.items()}
    with_boxes = [key for key in members if boxes[key]]
    if len(with_boxes) < count:
        raise DataError(
            f'folds: {count} need as many groups of images with boxes, and there are '
            f'{len(with_boxes)}'
        )
    sizes, annotated, fold_of = [0] * count, [0] * count, {}
    # Large groups first; ties in hash order, since file names follow the time of capture.
    for key in sorted(members, key=lambda key: (-boxes[key], -len(members[key]), lot(key))):
        fold = min(range(count), key=lambda k: (annotated[k] if boxes[key] else 0, sizes[k]))
        sizes[fold] += len(members[key])
        annotated[fold] += boxes[key]
        fold_of.update(dict.fromkeys(members[key], fold))
    return {name: fold_of[name] for name in names}


def _pooled(data_root: Path, path: Path) -> CocoFile:
    """All images of a data set except its test split, with new ids."""
    splits = [split for name, split in find_splits(data_root).items() if name != 'test']
    files = [read_completed(split) for split in splits]
    classes = common_classes(files)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for split, coco in zip(splits, files, strict=True):
        names = {category['id']: category['name'] for category in coco.categories}
        ids = {}
        for image in coco.images:
            ids[image['id']] = len(images) + 1
            file = os.path.relpath(split.img_dir / image['file_name'], data_root)
            images.append({**image, 'id': ids[image['id']], 'file_name': Path(file).as_posix()})
        for annotation in _with_known(coco.annotations, names):
            entry = {
                'id': len(annotations) + 1,
                'image_id': ids[annotation['image_id']],
                'category_id': classes.index(names[annotation['category_id']]) + 1,
            }
            annotations.append({**annotation, **entry})
    categories = [{'id': k, 'name': name} for k, name in enumerate(classes, 1)]
    return CocoFile(path, images, annotations, categories)


def _with_known(
    annotations: Iterable[dict[str, Any]], names: Mapping[Any, str]
) -> list[dict[str, Any]]:
    return [annotation for annotation in annotations if annotation['category_id'] in names]


def _link_images(link: Path, data_root: Path) -> None:
    target = data_root.resolve()
    if link.is_symlink() and link.readlink() == target:
        return  # running jobs read these files
    link.unlink(missing_ok=True)
    link.symlink_to(target, target_is_directory=True)
