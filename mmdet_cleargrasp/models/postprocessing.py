"""Class-agnostic non-maximum suppression: one box a plate, whatever its class."""

import torchvision
from torch import Tensor

#: Boxes whose IoU is larger are taken for the same plate. Less than the 0.5 of the detectors' own
#: suppression, which is per class: the box of a plate differs from class to class.
SAME_PLATE_IOU = 0.4


def class_agnostic_nms(boxes: Tensor, scores: Tensor) -> Tensor:
    """Non-maximum suppression over the boxes of all classes.

    Detectors suppress boxes per class, so that a plate that could be of two classes keeps a box of
    each. This keeps the one with the higher score.

    Args:
        boxes: Float (N, 4), left, top, right and bottom in pixels.
        scores: Float (N,).

    Returns:
        int64 (K,), indices of the boxes to keep, by decreasing score.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0., 0, 8, 8], [1, 0, 9, 8], [20, 20, 30, 30]])
        >>> class_agnostic_nms(boxes, torch.tensor([0.6, 0.7, 0.4])).tolist()
        [1, 2]
    """
    return torchvision.ops.nms(boxes.to(scores.dtype), scores, SAME_PLATE_IOU)
