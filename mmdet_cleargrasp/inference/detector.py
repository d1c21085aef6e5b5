"""A trained detector as a function from a photograph to detections."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import supervision as sv
import torch
from mmdet.apis import inference_detector, init_detector
from mmdet.registry import DATASETS
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope

from ..checkpoints import check_trained
from ..checkpoints.reading import load_from_local
from ..compat.checkpoint_reading import read_local_checkpoints_with
from ..datasets.images import MAX_ASPECT, read_image
from ..engine.checks.building import build
from ..engine.resuming import best_checkpoint, latest_checkpoint
from ..engine.run_config import load_config
from ..engine.run_plan import read_plan
from ..engine.runtimes import use_runtime
from ..evaluation.working_threshold import working_threshold
from ..models.postprocessing import class_agnostic_nms
from ..utils.errors import CheckpointError, ConfigError, DataError
from ..utils.text_files import is_digits
from .results import scores_of, select
from .shipped import shipped_detector

MAX_TILE = 100_000
#: Share of a tile; with almost all of it, a scan has as many tiles as pixels.
MAX_OVERLAP = 0.9


class PlateDetector:
    """Finds plates in photographs, with the shipped detector or with one of your own runs.

    Uses MMDetection's ``init_detector`` and ``inference_detector``. The checkpoint contains the
    whole detector: the backbone file that training started from is not needed.

    Args:
        config: Preferably the config in the run's work dir; by default the shipped detector's.
        checkpoint: The detector's checkpoint, a local file; by default the shipped detector's.
        device: Such as ``'cuda:0'``; by default a GPU if available.
        per_class: Keep boxes of several classes around the same plate, as MMDetection's own
            functions do; by default only the one with the highest score is kept.
        runtime: What computes the networks, one of :data:`.RUNTIMES`: ``'openvino'`` is faster on
            a CPU, with the same detections up to rounding.
        amp: Compute the networks in bfloat16: faster, scores and boxes differ slightly.

    Attributes:
        classes: Names by class id.
        model: MMDetection's detector.
        runtime: What computes the networks, such as ``'openvino, float32'``.
        threshold: The score threshold that is used unless another is given: the checkpoint's
            working threshold, which has the best F1 on validation, or 0.5 where it has none.
        note: The checkpoint's note, from ``publish_detector.py --note``; may be empty.

    Raises:
        ConfigError: The config does not exist or cannot be read, or the runtime cannot be used.
        CheckpointError: The checkpoint does not exist, is damaged or unsafe, is of another model,
            or has values that are not finite.

    Example:
        >>> detector = PlateDetector()  # or PlateDetector.from_run('work_dirs/mine')
        >>> detections = detector('plates/day_3.jpg')  # doctest: +SKIP
        >>> detections.xyxy, detections.confidence, detections['class_name']  # doctest: +SKIP
    """

    def __init__(
        self,
        config: str | Path | Config | None = None,
        checkpoint: str | Path | None = None,
        device: str | None = None,
        per_class: bool = False,
        runtime: str = 'torch',
        amp: bool = False,
    ) -> None:
        if config is None and checkpoint is None:
            config, checkpoint = shipped_detector()
        if config is None or checkpoint is None:
            raise ConfigError('expected both a config and a checkpoint, or neither')
        cfg = config.copy() if isinstance(config, Config) else load_config(config)
        self.classes = _check_checkpoint(cfg, checkpoint)
        meta: dict[str, Any] = {}

        def load(filename: str, map_location: object = None) -> Any:
            content = load_from_local(filename)
            meta.update(content.get('meta') or {})
            return content

        # MMEngine prints the checkpoint's path.
        with read_local_checkpoints_with(load), contextlib.redirect_stdout(io.StringIO()):
            self.model = init_detector(cfg, str(checkpoint), device=device or get_device())
        # Without class names in the checkpoint, MMDetection uses COCO's.
        self.model.dataset_meta = {**self.model.dataset_meta, 'classes': self.classes}
        self.runtime = use_runtime(self.model, runtime, amp)
        self.checkpoint = Path(checkpoint)
        self.per_class = per_class
        self.threshold = working_threshold(meta, checkpoint)
        self.note = str(meta.get('note') or '')

    @classmethod
    def from_run(
        cls,
        work_dir: str | Path,
        device: str | None = None,
        per_class: bool = False,
        runtime: str = 'torch',
        amp: bool = False,
    ) -> PlateDetector:
        """The detector of a run: its config and its best checkpoint, otherwise its last.

        Args:
            work_dir: What ``tools/train.py`` wrote.
            device: As for the class.
            per_class: As for the class.
            runtime: As for the class.
            amp: As for the class.

        Raises:
            ConfigError: No folder, or not one config in it.
            CheckpointError: No checkpoint in it, or one that does not fit.
        """
        return cls(*find_run(work_dir), device, per_class, runtime, amp)

    @cached_property
    def identity(self) -> str:
        """The checkpoint's name and SHA-256, and all settings that change detections."""
        with open(self.checkpoint, 'rb') as file:
            digest = hashlib.sha256()
            while block := file.read(2**20):
                digest.update(block)
        precision = self.runtime.split(', ')[1]
        nms = 'NMS per class' if self.per_class else 'class-agnostic NMS'
        cfg = self.model.cfg
        settings = json.dumps([cfg.model, get_test_pipeline_cfg(cfg)[1:]], default=str)
        config = hashlib.sha256(settings.encode()).hexdigest()[:16]
        return (
            f'{self.checkpoint.name}, SHA-256 {digest.hexdigest()}, config {config}, {precision}, '
            f'{nms}'
        )

    def __call__(
        self,
        image: str | Path | np.ndarray,
        score_thr: float | None = None,
        tile: int | None = None,
        overlap: float = 0.25,
    ) -> sv.Detections:
        """Find plates.

        Args:
            image: A file, read by :func:`.read_image`, or uint8 (H, W, 3) in **RGB** order.
                (MMDetection's own functions take BGR.)
            score_thr: Detections with lower scores are dropped; by default those below
                :attr:`threshold`. The config's own bound, usually 0.05, applies as well.
            tile: Side in pixels of square tiles for tiled inference, for scans in which plates
                would be too small after resizing.
            overlap: Share of a tile, from 0 to 0.9, by which neighbors overlap. A plate that is
                smaller than the overlap is complete in one of them.

        Returns:
            ``xyxy`` in pixels of the upright image, ``confidence``, ``class_id`` and
            ``data['class_name']``, by descending score.

        Raises:
            DataError: An image that cannot be read, or an array that is not uint8 RGB.
            ConfigError: Invalid ``tile`` or ``overlap``.
        """
        if not isinstance(image, np.ndarray):
            image = read_image(image)
        _check_array(image)
        found = self._detect(image) if tile is None else self._detect_tiles(image, tile, overlap)
        lowest = self.threshold.value if score_thr is None else score_thr
        found = select(found, scores_of(found) >= lowest)
        if not self.per_class:
            boxes, scores = torch.from_numpy(found.xyxy), torch.from_numpy(scores_of(found))
            found = select(found, class_agnostic_nms(boxes, scores).numpy())
        found = select(found, np.argsort(-scores_of(found), kind='stable'))
        found.data['class_name'] = np.array(self.classes, dtype=object)[found.class_id].astype(str)
        return found

    def _detect(self, image: np.ndarray) -> sv.Detections:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        return sv.Detections.from_mmdetection(inference_detector(self.model, bgr))

    def _detect_tiles(self, image: np.ndarray, tile: int, overlap: float) -> sv.Detections:
        if not 32 <= tile <= MAX_TILE or not 0 <= overlap <= MAX_OVERLAP:
            raise ConfigError(
                f'tile={tile}, overlap={overlap}: expected 32 to {MAX_TILE} pixels, and an overlap '
                f'from 0 to {MAX_OVERLAP}'
            )
        # A plate that is cut by a tile border lies within the complete one of the next tile.
        metric = sv.OverlapMetric.IOS
        slicer = sv.InferenceSlicer(
            self._detect, slice_wh=tile, overlap_wh=int(tile * overlap), overlap_metric=metric
        )
        found = slicer(image)
        if not self.per_class:
            found = found.with_nms(class_agnostic=True, overlap_metric=metric)
        return found if len(found) else _no_detections()


def find_run(work_dir: str | Path) -> tuple[Path, Path]:
    """The config and the best checkpoint of a run, otherwise its last.

    Args:
        work_dir: Output of ``tools/train.py``; may have been moved.

    Raises:
        ConfigError: No folder, or not one config in it.
        CheckpointError: No checkpoint in it.

    Example:
        >>> find_run('work_dirs/none')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.ConfigError: no folder at work_dirs/none (...
    """
    work_dir = Path(work_dir)
    if not work_dir.is_dir():
        raise ConfigError(
            f'no folder at {work_dir} (looked from {Path.cwd()}); expected a work dir'
        )
    configs = sorted(work_dir.glob('*.py'))
    if len(configs) != 1:
        found = ', '.join(path.name for path in configs) or 'none'
        raise ConfigError(
            f'{work_dir} should hold the one config of its run, but has {found}. Name the config '
            'and the checkpoint instead.'
        )
    return configs[0], _find_checkpoint(work_dir)


def take_detector(arguments: Sequence[str]) -> tuple[tuple[Path, Path], list[str]]:
    """Split a command line into the detector's config and checkpoint, and the inputs.

    Args:
        arguments: A work dir, or a config and a checkpoint, or neither for the detector that comes
            with the repository; then the inputs.

    Raises:
        ConfigError: A config without a checkpoint.
        CheckpointError: The work dir has no checkpoint, or the shipped detector's is missing.

    Example:
        >>> take_detector(['a.py', 'a.pth', 'photos'])
        ((PosixPath('a.py'), PosixPath('a.pth')), ['photos'])
    """
    if not arguments:
        return shipped_detector(), []
    if arguments[0].endswith('.py'):
        if len(arguments) < 2:
            raise ConfigError(f'{arguments[0]}: expected a checkpoint after the config')
        return (Path(arguments[0]), Path(arguments[1])), list(arguments[2:])
    if _is_work_dir(Path(arguments[0])) or _is_misspelled_run(arguments):
        return find_run(arguments[0]), list(arguments[1:])
    return shipped_detector(), list(arguments)


def _is_work_dir(path: Path) -> bool:
    """Whether a folder is a work dir and not a folder of photographs."""
    # listdir raises if the folder cannot be read; glob would return nothing.
    return path.is_dir() and any(name.endswith(('.py', '.pth')) for name in os.listdir(path))


def _is_misspelled_run(arguments: Sequence[str]) -> bool:
    """Whether the argument before the inputs neither exists nor is a pattern."""
    first = arguments[0]
    is_pattern = any(sign in first for sign in '*?[') or is_digits(first)
    return len(arguments) > 1 and not is_pattern and not Path(first).exists()


def _find_checkpoint(work_dir: Path) -> Path:
    found = best_checkpoint(work_dir) or latest_checkpoint(work_dir)
    if found is None:
        raise CheckpointError(f'{work_dir} has no checkpoint yet (best_*.pth, epoch_*.pth)')
    return found


def _check_checkpoint(cfg: Config, checkpoint: str | Path) -> tuple[str, ...]:
    """The class names of the checkpoint, or of the config if it has none."""
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    plan = read_plan(cfg, ('test',))
    data = plan.data.get('test')
    named = (
        tuple(data.classes or DATASETS.get(data.kind).METAINFO.get('classes', ())) if data else ()
    )
    classes = check_trained(checkpoint, build('model', cfg.model), named) or named
    counts = plan.class_counts
    if counts and counts != {len(classes)}:
        raise CheckpointError(
            f'neither {checkpoint} nor the config names the {max(counts)} classes of the model '
            f'(found {len(classes)}). Set test_dataloader.dataset.metainfo=dict(classes=(...)) in '
            'the config, in the order in which it was trained.'
        )
    return classes


def _check_array(image: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(
            f'an array of {image.dtype} {image.shape}, expected uint8 (height, width, 3) in RGB'
        )
    height, width = image.shape[:2]
    if max(height, width) > MAX_ASPECT * min(height, width):
        raise DataError(
            f'an image of {width} x {height} pixels is too long for its width. Cut it into parts.'
        )


def _no_detections() -> sv.Detections:
    """No detections, with empty scores and classes."""
    return sv.Detections(
        xyxy=np.zeros((0, 4), np.float32),
        confidence=np.zeros(0, np.float32),
        class_id=np.zeros(0, int),
    )
