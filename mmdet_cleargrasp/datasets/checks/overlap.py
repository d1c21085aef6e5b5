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
        names, trained = _file_names(split), _file_names(train)
        paths, trained_paths = _real_paths(split, names), set(_real_paths(train, trained))
    except (DataError, OSError):
        return
    both = [os.path.basename(path) for path in paths if path in trained_paths]
    if both:
        yield warning(
            name,
            f'{len(both)} of {len(paths)} images of {split.ann_file} are also in '
            f'{train.ann_file} ({examples(both)}): metrics on training images are too high (data '
            'leakage)',
        )
    yield from _check_series(name, names, trained)


def _check_series(name: str, names: list[str], trained: list[str]) -> Iterable[Finding]:
    series = find_series([*names, *trained])
    both = (set(names), set(trained))
    shared = {
        found: files for found, files in series.items() if all(set(files) & side for side in both)
    }
    if shared:
        remedy = f"tools/dataset_converters/to_coco.py DIR OUT --group-by '{SERIES_PATTERN}'"
        yield warning(name, describe_series(shared, remedy))


def _file_names(split: Split) -> list[str]:
    return [str(image['file_name']) for image in read_coco(split.ann_file).images]


def _real_paths(split: Split, names: Iterable[str]) -> list[str]:
    return [os.path.realpath(find_file(split.img_dir / name)) for name in names]
