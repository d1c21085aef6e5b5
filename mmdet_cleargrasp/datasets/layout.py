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

#: Splits that serve a loop; the first that there is.
FALLBACKS = {'train': ('train',), 'val': ('val', 'test'), 'test': ('test', 'val')}

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


def splits_of_loops(
    root: str | Path, split_dir: str | Path, *, testing: bool = False, seed: int = 0
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """Choose the splits of a folder for training, validation and test.

    A folder with one annotation file is split at random. Where a folder has no ``val`` or no
    ``test``, the other one serves for both.

    Args:
        root: In one of the layouts of :func:`find_splits`.
        split_dir: Gets annotation files that have to be split or renumbered.
        testing: Only a test split is needed; a folder with one annotation file is not split.
        seed: Of the random split.

    Returns:
        Splits by ``'train'``, ``'val'`` and ``'test'``, or ``'test'`` alone, and their classes.

    Raises:
        DataError: Unknown layout, a split that is missing, or splits of different categories.
    """
    splits = find_splits(root)
    if 'all' in splits and testing:
        splits = {'test': splits['all']}
    elif 'all' in splits:
        splits = split_at_random(splits['all'], split_dir, seed=seed)
    splits = {name: renumbered(s, Path(split_dir) / f'{name}.json') for name, s in splits.items()}
    loops = ('test',) if testing else tuple(FALLBACKS)
    chosen = {loop: _choose_split(root, splits, loop) for loop in loops}
    return chosen, _common_classes(chosen)


def find_split(root: str | Path, name: str) -> Split:
    """Find one split by its name, such as ``hard``.

    Args:
        root: The folder.
        name: Of ``annotations/NAME.json`` and the image folder ``NAME/``, or the same in another
            layout.

    Raises:
        DataError: There is no such split; the message names those that there are.
    """
    root = Path(root)
    candidates = _candidates(root, name)
    for ann_file in candidates:
        if ann_file.is_file():
            return Split(ann_file, _image_dir(root, name, read_coco(ann_file)))
    there = sorted(path.stem for path in (root / 'annotations').glob('*.json'))
    raise DataError(
        f'{root} has no split {name!r}: no {candidates[0]}'
        + (f'; there are {", ".join(there)}' if there else '')
    )


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


def _choose_split(root: str | Path, splits: dict[str, Split], loop: str) -> Split:
    for name in FALLBACKS[loop]:
        if name in splits:
            return splits[name]
    raise DataError(
        f'{root} has no {loop} split, only {", ".join(splits)}. Add one, or leave all in one '
        'annotations.json, which is then split at random.'
    )


def _common_classes(splits: dict[str, Split]) -> tuple[str, ...]:
    files = [split.ann_file for split in splits.values()]
    classes = [read_coco(file).classes for file in files]
    for file, names in zip(files, classes, strict=True):
        if names != classes[0]:
            raise DataError(
                f'the categories differ: {files[0]} has {classes[0]}, {file} has {names}. Use the '
                'same, in the same order.'
            )
    if not classes[0]:
        raise DataError(f'{files[0]} lists no categories')
    return classes[0]


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
