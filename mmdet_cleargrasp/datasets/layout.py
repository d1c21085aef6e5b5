"""Finding annotation files and images in a folder that somebody brings along."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from .annotations import CocoFile, read_coco

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
        ann_file (Path): its COCO file.
        img_dir (Path): the folder that the file names in it start from.
    """

    ann_file: Path
    img_dir: Path


def find_splits(root: str | Path) -> dict[str, Split]:
    """Recognise the layout of a data set by looking at its folder.

    Args:
        root (str | Path): the folder.

    Returns:
        dict[str, Split]: by ``'train'``, ``'val'`` and ``'test'``, as far as they are there; a
        folder with one annotation file that names no split gives ``{'all': Split}``.

    Raises:
        DataError: no folder, no annotation file, or none of its images.
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

    Images with boxes and images without are parted alike, and each part gets at least one image
    with boxes.

    Args:
        split (Split): the whole.
        out_dir (str | Path): gets ``train.json`` and ``val.json``.
        val_fraction (float): share of the images for validation, between 0 and 1.
        seed (int): the same seed gives the same parts.

    Returns:
        dict[str, Split]: ``'train'`` and ``'val'``.

    Raises:
        DataError: fewer than two images with boxes.
    """
    coco = read_coco(split.ann_file)
    with_boxes = {annotation['image_id'] for annotation in coco.annotations}
    groups = [
        [image for image in coco.images if (image['id'] in with_boxes) == side] for side in (1, 0)
    ]
    if len(groups[0]) < 2:
        raise DataError(
            f'{split.ann_file} has {len(groups[0])} image(s) with boxes; parting it into training '
            'and validation takes at least two'
        )
    shuffler = random.Random(seed)
    val_ids = set()
    for group in groups:
        shuffler.shuffle(group)
        count = round(len(group) * val_fraction)
        if group is groups[0]:
            count = min(max(count, 1), len(group) - 1)
        val_ids |= {image['id'] for image in group[:count]}
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    parts = {}
    for name, in_val in (('train', False), ('val', True)):
        parts[name] = Split(out_dir / f'{name}.json', split.img_dir)
        content = {
            'images': [i for i in coco.images if (i['id'] in val_ids) == in_val],
            'annotations': [a for a in coco.annotations if (a['image_id'] in val_ids) == in_val],
            'categories': coco.categories,
        }
        parts[name].ann_file.write_text(json.dumps(content), encoding='utf-8')
    return parts


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
    hits = [sum((folder / file).is_file() for file in sample) for folder in folders]
    if sample and not max(hits):
        looked = ', '.join(dict.fromkeys(str(folder / sample[0]) for folder in folders))
        raise DataError(f'{coco.path} names images that are not there; looked for {looked}')
    return folders[hits.index(max(hits))]
