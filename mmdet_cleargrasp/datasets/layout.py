"""Finding annotation files and images in a folder that somebody brings along."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..utils.errors import DataError
from .annotations import CocoFile, needs_renumbering, read_coco, write_coco
from .images import find_file

SPLIT_NAMES = {
    'train': ('train', 'training'),
    'val': ('val', 'valid', 'validation'),
    'test': ('test', 'testing'),
}

LAYOUTS = """a folder in one of these layouts:
  DIR/annotations/train.json, val.json[, test.json]   images in DIR/train/, DIR/val/ or DIR/images/
  DIR/train/_annotations.coco.json, DIR/valid/...      images beside them (Roboflow)
  DIR/annotations.json                                 images in DIR/images/ or DIR/"""


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        ann_file: Its COCO file.
        img_dir: The folder that the file names in it start from.
    """

    ann_file: Path
    img_dir: Path


def find_splits(root: str | Path) -> dict[str, Split]:
    """Recognize the layout of a data set by looking at its folder.

    Args:
        root: The folder.

    Returns:
        By ``'train'``, ``'val'`` and ``'test'``, as far as they are there; a
        folder with one annotation file that names no split gives ``{'all': Split}``.

    Raises:
        DataError: No folder, no annotation file, or none of its images.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f'no folder at {root} (looked from {Path.cwd()}); expected {LAYOUTS}')
    found: dict[str, Split] = {}
    for split, names in SPLIT_NAMES.items():
        for name in names:
            for ann_file in _candidates(root, name):
                if split not in found and ann_file.is_file():
                    found[split] = Split(ann_file, _image_dir(root, name, read_coco(ann_file)))
    if found:
        return found
    single = [*sorted(root.glob('*.json')), *sorted((root / 'annotations').glob('*.json'))]
    if len(single) == 1:
        return {'all': Split(single[0], _image_dir(root, '', read_coco(single[0])))}
    there = ', '.join(str(path.relative_to(root)) for path in single[:5]) or 'no .json file'
    raise DataError(f'{root} holds {there}; expected {LAYOUTS}')


def split_at_random(
    split: Split, out_dir: str | Path, val_fraction: float = 0.2, seed: int = 0
) -> dict[str, Split]:
    """Part a data set's images into training and validation and write a COCO file for each.

    An image's side follows from its file name and the seed alone, so that no image changes sides
    when others are added. Each part gets at least one image with boxes.

    Args:
        split: The whole.
        out_dir: Gets ``train.json`` and ``val.json``.
        val_fraction: Share of the images for validation, between 0 and 1, on average.
        seed: The same seed gives the same parts.

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
            f'{split.ann_file} has {len(with_boxes)} image(s) with boxes; parting it into training '
            'and validation takes at least two'
        )
    val_ids = {key for key, lot in lots.items() if lot < val_fraction} | {with_boxes[0]}
    val_ids.discard(with_boxes[-1])
    parts = {}
    for name, in_val in (('train', False), ('val', True)):
        parts[name] = Split(Path(out_dir) / f'{name}.json', split.img_dir)
        write_coco(
            parts[name].ann_file,
            [image for image in coco.images if (image['id'] in val_ids) == in_val],
            [a for a in coco.annotations if (a['image_id'] in val_ids) == in_val],
            coco.categories,
        )
    return parts


def lot(name: str, seed: int = 0) -> float:
    """A number from 0 to less than 1 that follows from a name and a seed alone.

    Example:
        >>> 0 <= lot('plate.jpg', seed=1) < 1
        True
    """
    return zlib.crc32(f'{seed}/{name}'.encode()) / 2**32


def renumbered(split: Split, out_file: str | Path) -> Split:
    """A split whose annotation ids pycocotools can count by; a copy where they need renumbering.

    Args:
        split: As found.
        out_file: Where the copy goes.
    """
    coco = read_coco(split.ann_file)
    if not needs_renumbering(coco):
        return split
    write_coco(out_file, coco.images, coco.annotations, coco.categories)
    return Split(Path(out_file), split.img_dir)


def _candidates(root: Path, name: str) -> list[Path]:
    return [
        root / 'annotations' / f'{name}.json',
        root / f'{name}.json',
        root / name / '_annotations.coco.json',
        root / name / 'annotations.json',
        *sorted((root / 'annotations').glob(f'instances_{name}*.json')),
    ]


def _image_dir(root: Path, name: str, coco: CocoFile) -> Path:
    """The folder in which most of the first images are."""
    folders = [root / name, root / 'images' / name, root / 'images', root]
    sample = [str(image['file_name']) for image in coco.images[:20]]
    # Of names that cannot be, os.path says that they are not there.
    hits = [sum(os.path.isfile(find_file(folder / file)) for file in sample) for folder in folders]
    if sample and not max(hits):
        looked = ', '.join(dict.fromkeys(str(folder / sample[0]) for folder in folders))
        raise DataError(f'{coco.path} names images that are not there; looked for {looked}')
    return folders[hits.index(max(hits))]
