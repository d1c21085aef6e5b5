"""Setting the data of a config: a data folder, another test split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..datasets.completion import completed
from ..datasets.layout import find_split, splits_of_loops
from ..datasets.split import Split
from ..utils.errors import ConfigError
from .config_parts import checkpoint_init_cfg, class_heads, evaluators, innermost_dataset


def use_data_root(
    cfg: Config, root: str | Path, *, testing: bool = False, split_dir: str | Path | None = None
) -> None:
    """Use a data folder in a config.

    Sets annotation files, image folders and evaluators of training, validation and test, and the
    class names and their number wherever they are needed. A folder with one annotation file is
    split at random, by the config's seed. Where a folder has no ``val`` or no ``test``, the other
    one serves for both.

    Args:
        cfg: Is changed.
        root: A folder with COCO annotations, see :func:`.find_splits`.
        testing: Only a test split is needed; a folder with one annotation file is not split.
        split_dir: Folder for annotation files that had to be split or renumbered; by default
            ``splits`` in the work dir.

    Raises:
        DataError: The folder's layout is not known, a split is missing, or the splits differ in
            their categories.
    """
    splits, classes = splits_of_loops(
        root,
        split_dir or Path(cfg.work_dir) / 'splits',
        testing=testing,
        seed=cfg.get('randomness', {}).get('seed') or 0,
        trained=_classes(cfg, 'test') if testing else (),
    )
    for loop, split in splits.items():
        set_split(cfg, loop, split, classes)
    for head in class_heads(cfg.model):
        head['num_classes'] = len(classes)
    init_cfg = checkpoint_init_cfg(cfg.model)
    if 'classes' in init_cfg:
        init_cfg['classes'] = classes


def use_test_split(
    cfg: Config,
    name: str,
    *,
    data_root: str | Path | None = None,
    split_dir: str | Path | None = None,
) -> None:
    """Test on another split of the data, such as ``hard``.

    Args:
        cfg: Is changed.
        name: Of ``annotations/NAME.json`` and the image folder ``NAME/``, or the same in another
            layout of :func:`.find_splits`.
        data_root: Folder of the data; by default the one that the test's annotations are in.
        split_dir: As for :func:`use_data_root`.

    Raises:
        ConfigError: The test's dataset is not a ``CocoDataset``.
        DataError: There is no such split.
    """
    dataset = _coco_dataset(cfg, 'test', '--test-split')
    if data_root is None:
        ann_file = Path(dataset.get('data_root') or '', dataset.get('ann_file') or '')
        data_root = ann_file.parent.parent
    split_dir = Path(split_dir or Path(cfg.work_dir) / 'splits')
    split = completed(find_split(data_root, name), split_dir / f'{name}.json')
    set_split(cfg, 'test', split, dataset.get('metainfo', {}).get('classes'))


def set_split(cfg: Config, loop: str, split: Split, classes: tuple[str, ...] | None = None) -> None:
    """Set the images of a loop.

    Args:
        cfg: Is changed.
        loop: ``'train'``, ``'val'`` or ``'test'``.
        split: The images and their annotations.
        classes: Of the annotations; by default the config's.

    Raises:
        ConfigError: The loop's dataset is not a ``CocoDataset``.
    """
    dataset = _coco_dataset(cfg, loop, '--data-root')
    dataset.update(
        data_root='', ann_file=str(split.ann_file), data_prefix=dict(img=f'{split.img_dir}/')
    )
    if classes is not None:
        dataset['metainfo'] = dict(classes=classes)
    if loop != 'train':
        for evaluator in evaluators(cfg, loop):
            if 'ann_file' in evaluator:
                evaluator['ann_file'] = str(split.ann_file)


def _classes(cfg: Config, loop: str) -> tuple[str, ...]:
    if not (cfg.get(f'{loop}_dataloader') or {}).get('dataset'):
        return ()
    named = innermost_dataset(cfg[f'{loop}_dataloader']).get('metainfo', {}).get('classes') or ()
    return () if isinstance(named, str) else tuple(named)


def _coco_dataset(cfg: Config, loop: str, option: str) -> dict[str, Any]:
    if not (cfg.get(f'{loop}_dataloader') or {}).get('dataset'):
        raise ConfigError(f'the config has no {loop}_dataloader with a dataset; see configs/')
    dataset = innermost_dataset(cfg[f'{loop}_dataloader'])
    if dataset.get('type') != 'CocoDataset':
        raise ConfigError(
            f'{option} works with CocoDataset, and {loop}_dataloader has {dataset.get("type")}'
        )
    return dataset
