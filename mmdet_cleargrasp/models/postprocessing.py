"""Class-agnostic non-maximum suppression: one box a plate, whatever its class."""

from torch import Tensor
from torchvision.ops import box_area, box_iou

#: Boxes whose IoU is larger are taken for the same plate. Less than the 0.5 of the detectors' own
#: suppression, which is per class: the box of a plate differs from class to class.
SAME_PLATE_IOU = 0.4
#: A box that lies within a better one by a larger share of its area is taken for a part of it.
NESTED_SHARE = 0.95


def class_agnostic_nms(boxes: Tensor, scores: Tensor) -> Tensor:
    """Non-maximum suppression over the boxes of all classes, and of boxes nested in better ones.

    Detectors suppress boxes per class, so that a plate that could be of two classes keeps a box of
    each; and they keep boxes of its parts, such as half a dish or a block of wells, whose IoU with
    the plate's box is small. A box is kept here unless one with a higher score, of any class, has
    the same place or contains it. A smaller box never removes the one around it.

    Args:
        boxes: Float (N, 4), left, top, right and bottom in pixels.
        scores: Float (N,).

    Returns:
        int64 (K,), indices of the boxes to keep, by decreasing score.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0., 0, 8, 8], [1, 0, 9, 8], [2, 2, 4, 4], [20, 20, 30, 30]])
        >>> class_agnostic_nms(boxes, torch.tensor([0.6, 0.7, 0.5, 0.4])).tolist()
        [1, 3]
    """
    order = scores.argsort(descending=True, stable=True)
    ranked = boxes[order].float()
    iou, area = box_iou(ranked, ranked), box_area(ranked)
    overlap = iou / (1 + iou) * (area[:, None] + area)
    # Row by row: the boxes that remove a box if they are kept.
    removed_by = (iou > SAME_PLATE_IOU) | (overlap > NESTED_SHARE * area[:, None])
    kept: list[int] = []
    for box, others in enumerate(removed_by.cpu().numpy()):
        if not others[kept].any():
            kept.append(box)
    return order[kept]
