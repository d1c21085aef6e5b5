"""One box a plate: of boxes around the same plate the best, whatever its class."""

import torchvision
from torch import Tensor

#: Boxes that overlap by more than this share of their union are taken for the same plate. Less than
#: the 0.5 of the detectors' own suppression: the same plate's box differs from class to class.
SAME_PLATE_IOU = 0.4


def one_box_a_plate(boxes: Tensor, scores: Tensor) -> Tensor:
    """Which boxes to keep so that each plate has one.

    Metrics judge every class by itself, and detectors suppress within a class only: a plate that
    could be of two kinds has a box as each. Who counts plates wants the likelier one.

    Args:
        boxes: Float (N, 4), left, top, right and bottom in pixels.
        scores: Float (N,).

    Returns:
        int64 (K,), indices by falling score.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0., 0, 8, 8], [1, 0, 9, 8], [20, 20, 30, 30]])
        >>> one_box_a_plate(boxes, torch.tensor([0.6, 0.7, 0.4])).tolist()
        [1, 2]
    """
    return torchvision.ops.nms(boxes.to(scores.dtype), scores, SAME_PLATE_IOU)
