"""ClearGrasp's three tasks: output channels, losses and predictions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Output channels by task: two classes, three classes (:data:`OUTLINE_CLASSES`), a 3D vector.
CHANNELS = {'mask': 2, 'outlines': 3, 'normals': 3}
OUTLINE_CLASSES = ('background', 'depth_boundary', 'contact_edge')


def task_loss(
    task: str, logits: Tensor, target: Tensor, class_weight: Tensor | None = None
) -> Tensor:
    """Compute the loss of one task.

    Args:
        task: A key of :data:`CHANNELS`.
        logits: Output of the task's head, (N, C, H, W), float.
        target: Class indices, int64 (N, H, W); for ``'normals'`` unit vectors, float
            (N, 3, H, W), zero where unknown.
        class_weight: Class weights of the cross entropy, float (C,); ignored for ``'normals'``.

    Returns:
        Scalar: cross entropy; for ``'normals'`` one minus the cosine similarity, averaged over
        pixels with a known normal.

    Example:
        >>> up = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
        >>> task_loss('normals', 5 * up, up).item()
        0.0
    """
    if task == 'normals':
        return _cosine_loss(logits, target)
    return F.cross_entropy(logits, target, weight=class_weight)


def predict(task: str, logits: Tensor) -> Tensor:
    """Convert logits to predictions.

    Args:
        task: A key of :data:`CHANNELS`.
        logits: Output of the task's head, (N, C, H, W), float.

    Returns:
        Class indices, int64 (N, H, W); for ``'normals'`` unit vectors, float (N, 3, H, W).

    Example:
        >>> predict('mask', torch.tensor([0.2, 0.8]).view(1, 2, 1, 1))
        tensor([[[1]]])
    """
    return F.normalize(logits, dim=1) if task == 'normals' else logits.argmax(dim=1)


def _cosine_loss(predicted: Tensor, target: Tensor) -> Tensor:
    known = target.abs().sum(dim=1) > 0
    loss = (1 - torch.cosine_similarity(predicted, target, dim=1, eps=1e-6)) * known
    return loss.sum() / known.sum().clamp(min=1)
