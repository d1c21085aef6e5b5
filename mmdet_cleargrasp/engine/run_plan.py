"""The plan of a run, read from its config once: data, classes, weights, length, work dir."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config, ConfigDict

from ..datasets.annotations import read_coco
from ..datasets.split import Split
from ..utils.errors import ConfigError
from .config_parts import (
    checkpoint_init_cfg,
    class_heads,
    evaluators,
    innermost_dataset,
    repeats,
    transform_types,
)
from .runner import world_size


@dataclass(frozen=True, kw_only=True)
class LoopData:
    """The data of training, validation or test.

    Attributes:
        kind: Type of the dataset, such as ``'CocoDataset'``.
        split: Annotation file and image folder; ``None`` where the config names no file.
        classes: Names of the classes, as the config has them.
        scored_on: Annotation files that the evaluators read.
        dataset: The dataset's config, inside wrappers.
        loader: The dataloader's config.
        repeats: How often an epoch goes through the images.
    """

    kind: str
    split: Split | None
    classes: Sequence[str]
    scored_on: tuple[Path, ...]
    dataset: ConfigDict
    loader: ConfigDict
    repeats: int

    @property
    def keeps_negatives(self) -> bool:
        """Whether images without boxes are used."""
        return not self.dataset.get('filter_cfg', {}).get('filter_empty_gt')

    @property
    def transforms(self) -> list[str]:
        """Types of the pipeline's transforms, in their order."""
        return transform_types(self.loader)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The file that a model's ``init_cfg`` loads.

    Attributes:
        part: What it fills, the backbone or the whole detector.
        loader: Type of the ``init_cfg``; ``None`` without a file.
        path: The file.
        source: Where to get it.
        classes: The model's classes, for a detector's file.
    """

    part: Literal['backbone', 'detector']
    loader: str | None
    path: str | None
    source: str | None
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """A run, as its config describes it.

    Attributes:
        cfg: The config that mmengine's runner is built from.
        loops: Of ``'train'``, ``'val'`` and ``'test'``, those that will run.
        data: By loop, for every loop that the config has data for.
        class_counts: ``num_classes`` of the heads.
        weights: The file that the model is initialized from.
        checkpoint: The whole detector that a run starts from or tests.
        max_epochs: Length of the training; ``None`` where the config counts steps.
        work_dir: Folder of the run's output.
        launcher: What started the run's processes.
        seed: Of the random generators.
        verbose: Show the whole log on the console.
        max_minutes: Time limit that the number of epochs is fitted to.
        largest_batch: Find the largest batch size that fits into the GPU, and train with it.
    """

    cfg: Config
    loops: tuple[str, ...]
    data: dict[str, LoopData]
    class_counts: frozenset[int]
    weights: Weights
    checkpoint: str | None
    max_epochs: int | None
    work_dir: Path
    launcher: str
    seed: int | None
    verbose: bool = False
    max_minutes: float | None = None
    largest_batch: bool = False

    @cached_property
    def steps_per_epoch(self) -> int:
        """Training steps of an epoch; 0 for a dataset of another type than ``CocoDataset``."""
        data = self.data['train']
        if data.kind != 'CocoDataset' or data.split is None:
            return 0
        coco = read_coco(data.split.ann_file)
        images = {image['id'] for image in coco.images}
        if not data.keeps_negatives:
            images &= {annotation.get('image_id') for annotation in coco.annotations}
        batch_size = data.loader.batch_size * world_size(self.launcher)
        return -(-data.repeats * len(images) // batch_size)


def read_plan(cfg: Config, loops: tuple[str, ...] = ('train', 'val')) -> RunPlan:
    """Read the plan of a run from a config.

    Args:
        cfg: From :func:`.load_config`.
        loops: Those that will run.

    Raises:
        ConfigError: A part of the config has another form than MMDetection's.
    """
    try:
        return RunPlan(
            cfg=cfg,
            loops=loops,
            data={
                loop: _read_data(cfg, loop)
                for loop in ('train', 'val', 'test')
                if (cfg.get(f'{loop}_dataloader') or {}).get('dataset')
            },
            class_counts=frozenset(head['num_classes'] for head in class_heads(cfg.model)),
            weights=_read_weights(cfg.model),
            checkpoint=cfg.get('load_from'),
            max_epochs=(cfg.get('train_cfg') or {}).get('max_epochs'),
            work_dir=Path(cfg.get('work_dir') or 'work_dirs'),
            launcher=cfg.get('launcher', 'none'),
            seed=cfg.get('randomness', {}).get('seed'),
        )
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ConfigError(
            f'the config cannot be understood ({type(error).__name__}: {error}); see configs/'
        ) from error


def _read_data(cfg: Config, loop: str) -> LoopData:
    loader = cfg[f'{loop}_dataloader']
    dataset = innermost_dataset(loader)
    ann_file = dataset.get('ann_file')
    root = Path(dataset.get('data_root') or '')
    images = root / dataset.get('data_prefix', {}).get('img', '')
    return LoopData(
        kind=str(dataset.get('type')),
        split=Split(root / ann_file, images) if isinstance(ann_file, str) else None,
        classes=dataset.get('metainfo', {}).get('classes', ()),
        scored_on=tuple(Path(e['ann_file']) for e in evaluators(cfg, loop) if e.get('ann_file')),
        dataset=dataset,
        loader=loader,
        repeats=repeats(loader),
    )


def _read_weights(model: dict[str, Any]) -> Weights:
    of_detector = checkpoint_init_cfg(model)
    of_backbone = checkpoint_init_cfg(model.get('backbone') or {})
    whole = of_detector.get('type') == 'DetectorCheckpoint'
    init_cfg = of_detector if whole else of_backbone
    return Weights(
        part='detector' if whole else 'backbone',
        loader=init_cfg.get('type'),
        path=init_cfg.get('checkpoint'),
        source=init_cfg.get('source'),
        classes=tuple(init_cfg.get('classes') or ()),
    )
