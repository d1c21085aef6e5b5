"""Validation or test images that are training images too, or show the same plates."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ...utils.errors import DataError
from ...utils.findings import Finding, examples, warning
from ..annotations import read_coco
from ..groups import SERIES_PATTERN, describe_series, find_series
from ..images import find_file
from ..split import Split


def check_overlap(name: str, split: Split, train: Split) -> Iterable[Finding]:
    """Warn of data leakage: images, or series of photographs, that are in the training data too.

    Finds nothing where one of the splits cannot be read: a test may run on another machine than
    the training.

    Args:
        name: What the findings call the split, such as ``'val data'``.
        split: Of validation or test.
        train: Of training.
    """
    try:
        yield from _check_images(name, split, train)
        yield from _check_series(name, split, train)
    except (DataError, OSError):
        return


def _check_images(name: str, split: Split, train: Split) -> Iterable[Finding]:
    trained = set(_real_paths(train))
    images = list(_real_paths(split))
    both = [path for path in images if path in trained]
    if both:
        names = examples(os.path.basename(path) for path in both)
        yield warning(
            name,
            f'{len(both)} of {len(images)} images of {split.ann_file} are also in '
            f'{train.ann_file} ({names}): metrics on training images are too high (data leakage)',
        )


def _check_series(name: str, split: Split, train: Split) -> Iterable[Finding]:
    names, trained = (
        [str(image['file_name']) for image in read_coco(part.ann_file).images]
        for part in (split, train)
    )
    series = find_series([*names, *trained])
    both = (set(names), set(trained))
    shared = {
        found: files for found, files in series.items() if all(set(files) & side for side in both)
    }
    if shared:
        remedy = f"tools/dataset_converters/to_coco.py DIR OUT --group-by '{SERIES_PATTERN}'"
        yield warning(name, describe_series(shared, remedy))


def _real_paths(split: Split) -> Iterable[str]:
    for image in read_coco(split.ann_file).images:
        yield os.path.realpath(find_file(split.img_dir / image['file_name']))
