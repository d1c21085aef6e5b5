"""The largest batch size that a GPU has memory for."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from ..utils.errors import ConfigError
from .config_errors import as_config_error

#: The largest size that is tried.
MAX_BATCH_SIZE = 256
#: Steps that an epoch keeps: a small data set is no reason for a few large steps.
MIN_STEPS_PER_EPOCH = 16
#: Share of the GPU's memory that a trial may use: batches differ in the sizes of their images.
MEMORY_SHARE = 0.9
#: Steps of a trial; the optimizer's state is made in the first.
TRIAL_STEPS = 2


def use_largest_batch(cfg: Config) -> None:
    """Find the largest batch size that fits into the GPU, and set it.

    The learning rate stays; ``--auto-scale-lr`` scales it with the batch size.

    Args:
        cfg: Of a training in one process; its batch size is changed.

    Raises:
        ConfigError: No GPU, several processes, or not even one image fits.
    """
    if not torch.cuda.is_available():
        raise ConfigError('--batch-size auto needs a GPU: on a CPU, pass a number')
    if cfg.launcher != 'none':
        raise ConfigError(
            '--batch-size auto works in one process: find the size there and pass it to all'
        )
    torch.cuda.set_per_process_memory_fraction(MEMORY_SHARE)
    try:
        step, images = build_trial_step(cfg)
        size = largest_batch_size(step, size_limit(images))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        _free_memory()
    cfg.train_dataloader.batch_size = size
    print(f'--batch-size auto: {size} images per step; --auto-scale-lr adapts the learning rate')


def largest_batch_size(step: Callable[[int], None], most: int) -> int:
    """Double the batch size until memory is full.

    Args:
        step: Trains on a batch of a size.
        most: Largest size to try.

    Returns:
        The largest power of two that fits.

    Raises:
        ConfigError: Not even one image fits.

    Example:
        >>> def step(size):
        ...     if size > 5:
        ...         raise torch.OutOfMemoryError
        >>> largest_batch_size(step, most=64)
        4
    """
    fits, size = 0, 1
    while size <= most and _fits(step, size):
        fits, size = size, 2 * size
    if not fits:
        raise ConfigError(
            '--batch-size auto: a step with one image is out of memory. Use --amp, a smaller '
            '--scale, or a GPU with more memory'
        )
    return fits


def size_limit(images: int) -> int:
    """The largest batch size that is tried for a number of training images.

    Args:
        images: Of the data set.

    Example:
        >>> size_limit(160), size_limit(10), size_limit(100_000)
        (10, 1, 256)
    """
    return min(MAX_BATCH_SIZE, max(1, images // MIN_STEPS_PER_EPOCH))


def build_trial_step(cfg: Config) -> tuple[Callable[[int], None], int]:
    """Build model, optimizer and data for trial steps, separately from the run.

    Args:
        cfg: Of the run.

    Returns:
        A function that trains on a number of images, and the number of training images.
    """
    init_default_scope('mmdet')
    with as_config_error('the training cannot be built'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        model = MODELS.build(cfg.model)
        model.init_weights()
        model.to('cuda' if torch.cuda.is_available() else 'cpu').train()
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)

    def step(size: int) -> None:
        batch = pseudo_collate([dataset[k % len(dataset)] for k in range(size)])
        for _ in range(TRIAL_STEPS):
            model.train_step(batch, optimizer)

    return step, len(dataset)


def _fits(step: Callable[[int], None], size: int) -> bool:
    try:
        step(size)
    except torch.OutOfMemoryError:
        return False
    finally:
        _free_memory()
    return True


def _free_memory() -> None:
    gc.collect()
    torch.cuda.empty_cache()  # does nothing without a GPU
