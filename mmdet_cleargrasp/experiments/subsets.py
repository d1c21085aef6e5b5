"""Subsets of the training images, for curves over their number."""

from __future__ import annotations

import zlib
from pathlib import Path

from ..datasets.annotations import CocoFile, read_coco, write_coco


def choose_images(coco: CocoFile, percent: float, seed: int) -> list[int | str]:
    """Choose a subset of a data set's images, with images without a box in proportion.

    Each image gets a number from its file name and the seed, and those with the lowest numbers are
    chosen: a smaller subset is contained in every larger one of the same seed, on any machine.

    Args:
        coco: The whole.
        percent: Above 0, to 100.
        seed: Another seed chooses other images.

    Returns:
        Their ids, in the file's order; at least one image with a box.
    """
    annotated = {annotation['image_id'] for annotation in coco.annotations}
    lots = {
        image['id']: zlib.crc32(f'{seed}/{image["file_name"]}'.encode()) for image in coco.images
    }
    chosen = set()
    for with_boxes in (True, False):
        group = sorted((k for k in lots if (k in annotated) == with_boxes), key=lots.__getitem__)
        chosen |= set(group[: max(round(len(group) * percent / 100), int(with_boxes))])
    return [key for key in lots if key in chosen]


def write_subset(
    ann_file: str | Path, percent: float, seed: int, out_file: str | Path
) -> tuple[int, int]:
    """Write the annotations of a subset of a data set.

    Args:
        ann_file: COCO file of the whole.
        percent: Above 0, to 100.
        seed: Another seed chooses other images.
        out_file: COCO file of the subset.

    Returns:
        Number of images in the subset and in the whole.
    """
    coco = read_coco(ann_file)
    chosen = set(choose_images(coco, percent, seed))
    write_coco(
        out_file,
        [image for image in coco.images if image['id'] in chosen],
        [a for a in coco.annotations if a['image_id'] in chosen],
        coco.categories,
    )
    return len(chosen), len(coco.images)
