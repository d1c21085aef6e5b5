"""Predictions of a pretrained network on photographs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_state_dict

from ..checkpoints import read_checkpoint
from ..datasets.images import read_image
from ..utils.errors import CheckpointError, DataError
from .network import PARTS, ClearGraspNetwork
from .pictures import draw_rows


def load_network(cfg: Config, checkpoint: str | Path) -> ClearGraspNetwork:
    """Build the network of a pretraining run and load its weights.

    Args:
        cfg: Config of the run.
        checkpoint: The run's ``backbone.pth``, which contains decoder and heads too.

    Returns:
        The network in evaluation mode, on a GPU if there is one.

    Raises:
        CheckpointError: The file cannot be read or does not fit the config's network.

    Example:
        >>> from mmdet_cleargrasp.engine.run_config import load_config
        >>> run = Path('work_dirs/resnet50_joint')
        >>> cfg = load_config(run / 'resnet50_joint.py')  # doctest: +SKIP
        >>> network = load_network(cfg, run / 'backbone.pth')  # doctest: +SKIP
        >>> picture = draw_photographs(network, ['day_3.jpg'])  # doctest: +SKIP
    """
    content = read_checkpoint(checkpoint)
    weights = content.get('model_state_dict') if isinstance(content, dict) else None
    if weights is None:
        raise CheckpointError(
            f'{checkpoint} has no model_state_dict: expected the backbone.pth of a pretraining run'
        )
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    cfg.model.backbone.init_cfg = None
    network = MODELS.build(cfg.model)
    for_training = {k: v for k, v in network.state_dict().items() if k.split('.')[0] not in PARTS}
    try:
        load_state_dict(network, {**for_training, **weights}, strict=True)
    except RuntimeError as error:
        raise CheckpointError(
            f'{checkpoint} does not fit the network of this config, or is a backbone alone: pass '
            "the run's own config and its backbone.pth"
        ) from error
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    return network.to(device).eval()


def draw_photographs(
    network: ClearGraspNetwork,
    photographs: Iterable[str | Path],
    size: tuple[int, int] = (288, 216),
) -> np.ndarray:
    """Draw photographs and the network's predictions, one row per photograph.

    Args:
        network: From :func:`load_network`.
        photographs: Image files.
        size: Width and height in pixels to which photographs are resized, keeping their aspect
            ratio and padding with black; close to the size that the network was trained with.

    Returns:
        BGR image, uint8 (H, W, 3), from :func:`.draw_rows`.

    Raises:
        DataError: There are no photographs, or one cannot be read.
    """
    images = [_fitted(path, size) for path in photographs]
    if not images:
        raise DataError('no photograph given')
    predictions = [_predict(network, image) for image in images]
    return draw_rows(images, predictions, [{}] * len(images))


@torch.no_grad()
def _predict(network: ClearGraspNetwork, image: torch.Tensor) -> dict[str, torch.Tensor]:
    batch = network.data_preprocessor({'inputs': image[None]}, False)
    return network(batch['inputs'], mode='predict')[0]


def _fitted(path: str | Path, size: Sequence[int]) -> torch.Tensor:
    image = read_image(path, channel_order='bgr')  # as the data preprocessor expects
    factor = min(size[0] / image.shape[1], size[1] / image.shape[0])
    width, height = (max(1, round(side * factor)) for side in image.shape[1::-1])
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(canvas.transpose(2, 0, 1).copy())
