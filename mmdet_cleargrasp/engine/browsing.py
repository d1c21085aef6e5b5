"""Contact sheets of a data set: as it is annotated, and as training sees it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

from mmdet.registry import DATASETS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed

from ..datasets.layout import find_splits
from ..utils.errors import ConfigError
from ..visualization.contact_sheets import Drawing, annotated, chosen, page, save, tile
from .config_parts import innermost_dataset
from .run_plan import RunPlan
from .samples import training_drawing

COLUMNS = 4


def browse_folder(
    root: str | Path, out: str | Path, *, count: int = 16, size: int = 320
) -> list[Path]:
    """Draw a sheet for every split of a folder.

    Args:
        root: In one of the layouts of :func:`.find_splits`.
        out: Folder of the sheets.
        count: Images a sheet.
        size: Pixels of an image on it.

    Returns:
        ``SPLIT.png`` each.

    Raises:
        DataError: No such layout, or an image that cannot be read.
    """
    sheets = []
    for name, split in find_splits(root).items():
        drawings, classes = annotated(split, count)
        sheets.append(_save(Path(out) / f'{name}.png', drawings, classes, size))
    return sheets


def browse_config(
    plan: RunPlan, out: str | Path, *, count: int = 16, size: int = 320, seed: int = 0
) -> list[Path]:
    """Draw training data as it is annotated, and the same images as the pipeline makes them.

    Args:
        plan: From :func:`.prepare`.
        out: Folder of the sheets.
        count: Images a sheet.
        size: Pixels of an image on it.
        seed: Of the augmentation.

    Returns:
        ``train_before.png`` and ``train_after.png``; the images at the same places are
        the same.

    Raises:
        ConfigError: Training has no CocoDataset, or its pipeline cannot be built.
        DataError: Annotations or images that cannot be read.
    """
    data = plan.data.get('train')
    if data is None:
        raise ConfigError('the config has no train_dataloader')
    if data.kind != 'CocoDataset' or data.split is None:
        raise ConfigError(f'training data is {data.kind}, expected CocoDataset with an ann_file')
    before, classes = annotated(data.split, count)
    after = _augmented(data.loader, len(before), seed)
    out = Path(out)
    return [
        _save(out / 'train_before.png', before, classes, size),
        _save(out / 'train_after.png', after, data.classes, size),
    ]


def _augmented(loader: ConfigDict, count: int, seed: int) -> list[Drawing]:
    """Images as they leave the pipeline, that of wrappers included."""
    init_default_scope('mmdet')
    loader = copy.deepcopy(loader)
    # What drops images would put others at their places.
    innermost_dataset(loader).filter_cfg = None
    settings = loader.dataset
    try:
        dataset = DATASETS.build(settings)
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise ConfigError(f'the data set cannot be built: {str(error).strip(chr(34))}') from error
    set_random_seed(seed)  # of NumPy, torch and Python, all of which transforms use
    return [training_drawing(dataset[index]) for index in chosen(len(dataset), count)]


def _save(path: Path, drawings: Sequence[Drawing], classes: Sequence[str], size: int) -> Path:
    return save(path, page([tile(drawing, classes, size) for drawing in drawings], COLUMNS))
