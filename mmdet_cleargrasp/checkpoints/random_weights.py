"""Write backbone files with random weights, the control in comparisons of pretraining."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from torch import nn

from ..datasets.images import read_image
from ..utils.errors import DataError
from .writing import save_atomically


def write_random_backbone(
    out: str | Path,
    images: Iterable[str | Path],
    backbone: Mapping[str, Any],
    preprocessor: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Path:
    """Write a backbone with random convolutions and batch norm statistics of real images.

    With default batch norm statistics, the values of random convolutions grow from block to block.
    The statistics are therefore measured on images, with the dilations and strides of the config.

    Args:
        out: File to write, in ClearGrasp's layout, with a note that the weights are random.
        images: Image files, resized to 256 x 256 pixels; a dozen is enough.
        backbone: Config of the backbone, such as ``dict(type='ClearGraspResNet', depth=50)``.
        preprocessor: Config of the detector's data preprocessor, whose ``mean`` and ``std`` are
            used; ``None`` scales RGB to between 0 and 1, as in ClearGrasp.
        seed: Random seed of the weights.

    Returns:
        Path of the file.

    Raises:
        DataError: There is no image, or one cannot be read.
        OSError: The file cannot be written.
    """
    images = list(images)
    if not images:
        raise DataError('no image to measure batch norm on')
    torch.manual_seed(seed)
    network = MODELS.build({**backbone, 'frozen': False, 'init_cfg': None})
    for module in network.modules():
        # Depthwise convolutions keep the network's initialization: fan_out ignores groups.
        if isinstance(module, nn.Conv2d) and module.groups == 1:
            nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # average over all images instead of a moving average
            module.train()
    batch = _normalize(np.stack([_read_image(path) for path in images]), preprocessor or {})
    with torch.no_grad():
        network(batch)
    note = f'random weights (seed {seed}), trained on nothing; not a ClearGrasp release'
    content = {
        'model_state_dict': {f'backbone.{k}': v for k, v in network.state_dict().items()},
        'note': note,
    }
    if stride := getattr(network, 'trained_stride', None):
        content['trained_stride'] = stride
    return save_atomically(content, out)


def _read_image(path: str | Path) -> np.ndarray:
    return cv2.resize(read_image(path), (256, 256), interpolation=cv2.INTER_NEAREST)


def _normalize(images: np.ndarray, preprocessor: Mapping[str, Any]) -> torch.Tensor:
    """Convert RGB images (N, H, W, 3) with values from 0 to 255 to a normalized (N, 3, H, W)."""
    mean = torch.tensor(preprocessor.get('mean', [0.0] * 3)).view(3, 1, 1)
    std = torch.tensor(preprocessor.get('std', [255.0] * 3)).view(3, 1, 1)
    return (torch.from_numpy(images).permute(0, 3, 1, 2).float() - mean) / std
