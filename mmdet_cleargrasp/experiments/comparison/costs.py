"""Cost of an arm: parameters, operations and seconds per image."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.analysis import get_model_complexity_info
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from ...checkpoints import read_checkpoint
from ...engine.run_config import load_config
from .runs import TestedRun

#: Number of images that are timed, after two for warm-up.
TIMED = 10
#: Used if the test pipeline of a config has no size.
DEFAULT_SIZE = (512, 512)


@dataclass(frozen=True)
class Cost:
    """Cost of an arm.

    Attributes:
        parameters: Of the whole detector.
        trained: Number of trained parameters.
        flops: Multiply-adds for one image; ``None`` if they cannot be counted.
        size: Width and height of that image in pixels.
        seconds: Median time per image on this machine; ``None`` if not measured.
    """

    parameters: int
    trained: int
    flops: float | None
    size: tuple[int, int]
    seconds: float | None = None


def architecture(run: TestedRun) -> str:
    """A key of a run's model without its weights.

    Args:
        run: Whose config is read.
    """
    return _without_files(load_config(run.config).model.to_dict())


def measure_cost(run: TestedRun, speed: bool = False) -> Cost:
    """Count an arm's parameters and operations, and time it if asked.

    Args:
        run: One of its runs; its checkpoint is read for timing, if it is still there.
        speed: Time :data:`TIMED` images, one at a time, on a GPU if available.
    """
    cfg = load_config(run.config)
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the number of proposals depends on the weights
        model = MODELS.build(cfg.model).eval()
    size = _input_size(cfg)
    parameters = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return Cost(
        sum(number for number, _ in parameters),
        sum(number for number, trained in parameters if trained),
        _count_flops(model, size),
        size,
        _time(run, cfg, size) if speed else None,
    )


def _without_files(node: Any) -> str:
    if isinstance(node, dict):
        items = ((key, value) for key, value in sorted(node.items()) if key != 'checkpoint')
        return str([(key, _without_files(value)) for key, value in items])
    return str([_without_files(v) for v in node] if isinstance(node, list | tuple) else node)


def _count_flops(model: Any, size: tuple[int, int]) -> float | None:
    image, sample = _random_image(size)
    logger = MMLogger.get_current_instance()
    level = logger.level
    inputs = model.data_preprocessor({'inputs': [image], 'data_samples': [sample]}, False)
    model.forward = partial(model.forward, data_samples=inputs['data_samples'])
    logger.setLevel(logging.ERROR)  # it lists every operator that it does not count
    try:
        found = get_model_complexity_info(
            model, None, inputs=inputs['inputs'], show_table=False, show_arch=False
        )
    except Exception:  # tracing runs any module's code, and the report works without this figure
        return None
    finally:
        logger.setLevel(level)
    return float(found['flops'])


def _time(run: TestedRun, cfg: Config, size: tuple[int, int]) -> float:
    model = MODELS.build(cfg.model).eval()
    checkpoint = Path(next(iter(run.tests.values())).source['checkpoint'])
    if checkpoint.is_file():
        model.load_state_dict(read_checkpoint(checkpoint)['state_dict'])
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model.to(device)
    times = []
    for _ in range(TIMED + 2):
        image, sample = _random_image(size)
        start = time.perf_counter()
        with torch.no_grad():
            model.test_step({'inputs': [image], 'data_samples': [sample]})
        if device.type == 'cuda':
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return float(torch.tensor(times[2:]).median())


def _random_image(size: tuple[int, int]) -> tuple[torch.Tensor, DetDataSample]:
    width, height = size
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    sample = DetDataSample(
        metainfo={
            'img_id': 0,
            'img_shape': (height, width),
            'ori_shape': (height, width),
            'scale_factor': (1.0, 1.0),
        }
    )
    return image, sample


def _input_size(cfg: Config) -> tuple[int, int]:
    """Width and height of a test image after resizing."""
    pipeline: list[dict[str, Any]] = cfg.test_dataloader.dataset.get('pipeline') or []
    scales = [step['scale'] for step in pipeline if step.get('scale')]
    return tuple(scales[0]) if scales else DEFAULT_SIZE
