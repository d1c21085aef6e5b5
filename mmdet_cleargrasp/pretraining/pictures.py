"""Pictures of predictions beside ground truth, one row per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from ..visualization.boxes import add_caption
from ..visualization.palette import OUTLINE_COLORS
from .tasks import CHANNELS

#: BGR colors of background, depth boundary and contact edge.
OUTLINE_BGR = np.array(OUTLINE_COLORS, np.uint8)[:, ::-1]
#: White gap between images, in pixels.
GAP = 4


def draw_rows(
    images: Sequence[Tensor],
    predictions: Sequence[Mapping[str, Tensor]],
    truths: Sequence[Mapping[str, Tensor]],
) -> np.ndarray:
    """Draw images, predictions and ground truth side by side.

    Args:
        images: Images of one size, uint8 (3, H, W) in BGR.
        predictions: Predictions of each image by task: class indices (H, W) or normals (3, H, W).
        truths: Ground truth of each image by task, in the same form; all images have the same
            tasks, which may be none.

    Returns:
        BGR picture, uint8 (height, width, 3), with a caption over each column.

    Example:
        >>> import torch
        >>> image = torch.zeros(3, 32, 48, dtype=torch.uint8)
        >>> draw_rows([image], [{'mask': torch.ones(32, 48)}], [{}]).shape
        (58, 104, 3)
    """
    tasks = [task for task in CHANNELS if task in predictions[0]]
    columns = ['input']
    for task in tasks:
        columns += [task, 'truth'] if task in truths[0] else [task]
    rows = [_captions(columns, images[0].shape[2])]
    for image, predicted, truth in zip(images, predictions, truths, strict=True):
        cells = [image.cpu().numpy().transpose(1, 2, 0)]
        for task in tasks:
            cells.append(_paint(task, predicted[task]))
            if task in truth:
                cells.append(_paint(task, truth[task]))
        rows.append(_side_by_side(cells))
    return np.concatenate([row for pair in _with_gaps(rows) for row in pair])


def _paint(task: str, values: Tensor) -> np.ndarray:
    array = values.cpu().numpy()
    if task == 'mask':
        return np.repeat((array > 0).astype(np.uint8)[..., None] * 230, 3, axis=2)
    if task == 'outlines':
        return OUTLINE_BGR[array]
    known = np.abs(array).sum(axis=0, keepdims=True) > 0
    colors = np.where(known, (array + 1) * 127.5, 0).astype(np.uint8)
    return colors.transpose(1, 2, 0)[..., ::-1]  # x, y and z as red, green and blue


def _side_by_side(cells: list[np.ndarray]) -> np.ndarray:
    gap = np.full((cells[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for cell in cells for part in (cell, gap)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _with_gaps(rows: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(row, np.full((GAP, row.shape[1], 3), 255, np.uint8)) for row in rows]


def _captions(columns: list[str], width: int) -> np.ndarray:
    nothing = np.empty((0, width + GAP, 3), np.uint8)
    return np.hstack([add_caption(nothing, name) for name in columns])
