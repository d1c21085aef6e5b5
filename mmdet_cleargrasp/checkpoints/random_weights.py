"""Backbone files of random weights: the control of every comparison."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from ..datasets.images import read_image
from ..models.backbones import ClearGraspResNet
from ..utils.errors import DataError
from .writing import save_atomically


def write_random_backbone(
    out: str | Path,
    images: Iterable[str | Path],
    depth: int = 50,
    seed: int = 0,
    trained_stride: int = 16,
) -> Path:
    """Write a ClearGrasp ResNet of random weights whose batch norms fit real images.

    With other statistics the values of random convolutions grow from block to block. They are
    therefore measured on images, with the dilations and strides that the configs use; the
    convolutions stay random.

    Args:
        out: The file, in ClearGrasp's layout, with a note that it is random.
        images: Images to measure on, RGB between 0 and 1 at 256 x 256, as
            ClearGrasp reads them; a dozen is enough.
        depth: 18, 34, 50, 101 or 152.
        seed: The same seed and images give the same weights.
        trained_stride: Of the backbone that will read the file.

    Returns:
        ``out``.

    Raises:
        DataError: No image, or one that cannot be read.
    """
    images = list(images)
    if not images:
        raise DataError('no image to measure batch norm on')
    torch.manual_seed(seed)
    backbone = ClearGraspResNet(depth, trained_stride=trained_stride, frozen=False, norm_eval=False)
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # a plain average over all images
    backbone.train()
    batch = torch.stack([_read_image(path) for path in images])
    with torch.no_grad():
        backbone(batch)
    state_dict = {f'backbone.{name}': tensor for name, tensor in backbone.state_dict().items()}
    note = f'random weights (seed {seed}), trained on nothing; not a ClearGrasp release'
    content = {'model_state_dict': state_dict, 'note': note, 'trained_stride': trained_stride}
    return save_atomically(content, out)


def _read_image(path: str | Path) -> torch.Tensor:
    image = cv2.resize(read_image(path), (256, 256), interpolation=cv2.INTER_NEAREST)
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255
