"""Splitting a data set at random into training and validation."""

from __future__ import annotations

import zlib
from pathlib import Path

from ..utils.errors import DataError
from .annotations import read_coco, write_coco
from .split import Split


def split_at_random(
    split: Split, out_dir: str | Path, val_fraction: float = 0.2, seed: int = 0
) -> dict[str, Split]:
    """Split a data set's images into training and validation and write a COCO file for each.

    An image's split depends only on its file name and the seed, so that adding images does not
    change it. Each split gets at least one image with boxes.

    Args:
        split: The whole data set.
        out_dir: Receives ``train.json`` and ``val.json``.
        val_fraction: Share of the images for validation, between 0 and 1, on average.
        seed: The same seed gives the same splits.

    Returns:
        ``'train'`` and ``'val'``.

    Raises:
        DataError: Fewer than two images with boxes.
    """
    coco = read_coco(split.ann_file)
    annotated = {annotation['image_id'] for annotation in coco.annotations}
    lots = {image['id']: lot(image['file_name'], seed) for image in coco.images}
    with_boxes = sorted((key for key in lots if key in annotated), key=lots.__getitem__)
    if len(with_boxes) < 2:
        raise DataError(
            f'{split.ann_file} has {len(with_boxes)} image(s) with boxes; splitting it into '
            'training and validation takes at least two'
        )
    val_ids = {key for key, lot in lots.items() if lot < val_fraction} | {with_boxes[0]}
    val_ids.discard(with_boxes[-1])
    splits = {}
    for name, in_val in (('train', False), ('val', True)):
        splits[name] = Split(Path(out_dir) / f'{name}.json', split.img_dir)
        write_coco(
            splits[name].ann_file,
            [image for image in coco.images if (image['id'] in val_ids) == in_val],
            [a for a in coco.annotations if (a['image_id'] in val_ids) == in_val],
            coco.categories,
        )
    return splits


def lot(name: str, seed: int = 0) -> float:
    """A number from 0 to below 1 that depends only on a name and a seed.

    Example:
        >>> 0 <= lot('plate.jpg', seed=1) < 1
        True
    """
    return zlib.crc32(f'{seed}/{name}'.encode()) / 2**32
