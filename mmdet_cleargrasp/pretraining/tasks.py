"""ClearGrasp's three tasks: what each one predicts and what it loses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Channels that each task predicts: two classes, three classes, a vector.
CHANNELS = {'mask': 2, 'outlines': 3, 'normals': 3}
OUTLINE_CLASSES = ('background', 'depth_boundary', 'contact_edge')


def task_loss(
    task: str, logits: Tensor, target: Tensor, class_weight: Tensor | None = None
) -> Tensor:
    """The loss of one task.

    Args:
        task: Of :data:`CHANNELS`.
        logits: What the network predicts, (N, C, H, W), float.
        target: Class indices, (N, H, W), int64; for normals unit vectors, (N, 3, H, W),
            float, zero where none is known.
        class_weight: Of the cross entropy, (C,), float. Outlines are a few per
            cent of the pixels.

    Returns:
        The cross entropy, or for normals one minus the cosine, a mean over all pixels that
        have a truth.

    Example:
        >>> up = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
        >>> task_loss('normals', 5 * up, up).item()
        0.0
    """
    if task == 'normals':
        return _cosine_loss(logits, target)
    return F.cross_entropy(logits, target, weight=class_weight)


def predict(task: str, logits: Tensor) -> Tensor:
    """Convert logits to predictions: class indices (N, H, W) or unit normals (N, 3, H, W)."""
    return F.normalize(logits, dim=1) if task == 'normals' else logits.argmax(dim=1)


def _cosine_loss(predicted: Tensor, target: Tensor) -> Tensor:
    known = target.abs().sum(dim=1) > 0
    loss = (1 - torch.cosine_similarity(predicted, target, dim=1, eps=1e-6)) * known
    return loss.sum() / known.sum().clamp(min=1)
