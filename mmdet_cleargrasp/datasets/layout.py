"""Finding annotation files and images in a data folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..utils.errors import DataError
from .annotations import load_coco_dict
from .completion import common_classes, completed, read_completed
from .images import find_file
from .random_split import split_at_random
from .split import Split
from .split_names import SPLIT_NAMES, SplitFolders

#: Splits for a loop; the first that exists is used.
FALLBACKS = {'train': ('train',), 'val': ('val', 'test'), 'test': ('test', 'val')}

LAYOUTS = """a folder in one of these layouts:
  DIR/annotations/train.json, val.json[, test.json]   images in DIR/train/, DIR/val/ or DIR/images/
  DIR/annotations/instances_train2017.json, ...        images in DIR/train2017/, DIR/images/Train/
  DIR/train/_annotations.coco.json, DIR/valid/...      images beside them (Roboflow)
  DIR/annotations.json                                 images in DIR/images/ or DIR/
For LabelMe, Pascal VOC, YOLO, CVAT, Label Studio and COCO in other layouts, convert it first:
  python tools/dataset_converters/to_coco.py {root} NEW_DIR"""
#: Names of annotation files beside images.
BESIDE_IMAGES = ('_annotations.coco.json', 'annotations.json')
#: Number of JSON files that are read to find the COCO file.
LOOKED_AT = 20


def find_splits(root: str | Path) -> dict[str, Split]:
    """Recognize the layout of a data set by looking at its folder.

    Args:
        root: The folder.

    Returns:
        Those of ``'train'``, ``'val'`` and ``'test'`` that exist; a folder with one annotation file
        without split name gives ``{'all': Split}``.

    Raises:
        DataError: No folder, no annotation file, or none of its images.
    """
    root = Path(root)
    if not os.path.isdir(root):
        raise DataError(
            f'no folder at {root} (looked from {Path.cwd()}); expected {_layouts(root)}'
        )
    files = list(_json_files(root))
    names = SplitFolders([path.relative_to(root) for path in (*files, *_folders(root))])
    found: dict[str, list[Path]] = {}
    for path in files:
        split = names.split(path.relative_to(root), is_image=False)
        if split:
            found.setdefault(split, []).append(path)
    if found:
        return {
            split: _with_images(root, min(found[split], key=_unlikeliness), split, names)
            for split in SPLIT_NAMES
            if split in found
        }
    single = [path for path in files[:LOOKED_AT] if len(files) == 1 or _is_coco(path)]
    if len(single) == 1:
        return {'all': _with_images(root, single[0], None, names)}
    there = ', '.join(path.relative_to(root).as_posix() for path in files[:5]) or 'no .json file'
    raise DataError(f'{root} holds {there}; expected {_layouts(root)}')


def splits_of_loops(
    root: str | Path,
    split_dir: str | Path,
    *,
    testing: bool = False,
    seed: int = 0,
    trained: Sequence[str] = (),
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """Choose the splits of a folder for training, validation and test.

    A folder with one annotation file, or a ``train`` split alone, is split at random. If a
    folder has no ``val`` or no ``test``, the other one is used for both.

    Args:
        root: In one of the layouts of :func:`find_splits`.
        split_dir: For annotation files that have to be split or completed, see :func:`.completed`.
        testing: Only a test split is needed; a folder with one annotation file, or with ``train``
            alone, is not split.
        seed: Of the random split.
        trained: Classes of the detector that is tested. Data with a subset of them, or in another
            order, get these.

    Returns:
        Splits by ``'train'``, ``'val'`` and ``'test'``, or ``'test'`` alone, and their classes.

    Raises:
        DataError: Unknown layout, a split that is missing, or splits of different categories.
    """
    splits, split_dir = find_splits(root), Path(split_dir)
    single = set(splits) in ({'all'}, {'train'})
    if testing:
        splits = {'test': next(iter(splits.values()))} if single else splits
    elif single:
        [whole] = splits.values()
        splits = split_at_random(completed(whole, split_dir / 'all.json'), split_dir, seed=seed)
    loops = ('test',) if testing else tuple(FALLBACKS)
    names = {loop: _choose_split(root, splits, loop) for loop in loops}
    classes = common_classes([read_completed(splits[name]) for name in names.values()])
    if testing and set(classes) <= set(trained):
        classes = tuple(trained)
    chosen = {
        name: completed(splits[name], split_dir / f'{name}.json', classes)
        for name in dict.fromkeys(names.values())
    }
    return {loop: chosen[name] for loop, name in names.items()}, classes


def find_split(root: str | Path, name: str) -> Split:
    """Find one split by its name, such as ``hard``.

    Args:
        root: The folder.
        name: Of ``annotations/NAME.json`` and the image folder ``NAME/``, or the same in another
            layout.

    Raises:
        DataError: There is no such split; the message lists the existing ones.
    """
    root = Path(root)
    candidates = _candidates(root, name)
    for ann_file in candidates:
        if ann_file.is_file():
            return _with_images(root, ann_file, name, SplitFolders(_folders(root)))
    there = sorted(path.stem for path in (root / 'annotations').glob('*.json'))
    raise DataError(
        f'{root} has no split {name!r}: no {candidates[0]}'
        + (f'; there are {", ".join(there)}' if there else '')
    )


def _choose_split(root: str | Path, splits: dict[str, Split], loop: str) -> str:
    """The name of the split for a loop."""
    for name in FALLBACKS[loop]:
        if name in splits:
            return name
    raise DataError(
        f'{root} has no {loop} split, only {", ".join(splits)}. Add one, or leave all in one '
        'annotations.json, which is then split at random.'
    )


def _layouts(root: Path) -> str:
    return LAYOUTS.format(root=root)


def _json_files(root: Path) -> Iterator[Path]:
    """Files that may be annotations: in ``annotations/``, in the root, and beside the images."""
    folders = [p for p in _folders(root) if p.parent == root]
    annotations = [path for path in folders if path.name.casefold() == 'annotations']
    others = [path for path in folders if path not in annotations]
    for folder in (*annotations, root):
        yield from _listed(folder, lambda e: e.name.lower().endswith('.json') and e.is_file())
    for folder in others:
        yield from _listed(folder, lambda e: e.name in BESIDE_IMAGES and e.is_file())


def _folders(root: Path) -> list[Path]:
    """Folders below the root, two levels deep."""
    first = _listed(root, os.DirEntry.is_dir)
    return [*first, *(path for folder in first for path in _listed(folder, os.DirEntry.is_dir))]


def _listed(folder: Path, wanted: Callable[[os.DirEntry[str]], bool]) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(e.path) for e in entries if e.name[0] != '.' and wanted(e))
    except OSError as error:
        raise DataError(f'{folder} cannot be opened: {error.strerror}') from error


def _unlikeliness(path: Path) -> int:
    """Rank of an annotation file among several of a split; the lowest is used."""
    stem = path.stem.casefold()
    usual = ('annotations', 'instances')
    words = [word for names in SPLIT_NAMES.values() for word in names]
    if stem in words:
        return 0
    return 1 if any(word in stem for word in usual) else 2


def _is_coco(path: Path) -> bool:
    try:
        content = load_coco_dict(path)
    except DataError:
        return False
    return all(isinstance(content.get(key), list) for key in ('images', 'annotations'))


def _with_images(root: Path, ann_file: Path, name: str | None, names: SplitFolders) -> Split:
    """An annotation file with the folder that has most of its first images."""
    images = load_coco_dict(ann_file).get('images')
    entries = images if isinstance(images, list) else []
    sample = [str(e.get('file_name')) for e in entries[:20] if isinstance(e, dict)]
    own = [root / name, root / 'images' / name] if name else []
    own += [
        folder
        for folder in _folders(root)
        if name and names.split(folder.relative_to(root) / 'any.jpg') == name
    ]
    folders = [*own, root / 'images', root, ann_file.parent]
    # os.path returns False for invalid names.
    hits = [sum(os.path.isfile(find_file(folder / file)) for file in sample) for folder in folders]
    if sample and not max(hits):
        looked = ', '.join(dict.fromkeys(str(folder / sample[0]) for folder in folders))
        raise DataError(
            f'{ann_file} names images that are not there; looked for {looked}. Where only folders '
            'or prefixes differ, as after an export, convert it first:\n'
            f'  python tools/dataset_converters/to_coco.py {root} NEW_DIR'
        )
    return Split(ann_file, folders[hits.index(max(hits))])


def _candidates(root: Path, name: str) -> list[Path]:
    return [
        root / 'annotations' / f'{name}.json',
        root / f'{name}.json',
        root / name / '_annotations.coco.json',
        root / name / 'annotations.json',
        *sorted((root / 'annotations').glob(f'instances_{name}*.json')),
    ]
