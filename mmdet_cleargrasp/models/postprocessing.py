"""Class-agnostic non-maximum suppression: one box per plate, whatever its class."""

from torch import Tensor
from torchvision.ops import box_area, box_iou

#: Boxes with a larger IoU count as the same plate. Lower than the 0.5 of the detectors' per-class
#: NMS, since the boxes that different classes predict for one plate differ more.
SAME_PLATE_IOU = 0.4
#: A box with a larger share of its area inside a higher-scoring box counts as a part of its plate.
NESTED_SHARE = 0.95


def class_agnostic_nms(boxes: Tensor, scores: Tensor) -> Tensor:
    """Non-maximum suppression across classes, which also removes boxes inside better ones.

    Detectors apply NMS per class. That leaves two boxes on a plate that could be of two classes,
    and boxes of its parts, such as half a dish or a block of wells, whose IoU with the plate's box
    is small. This function removes a box if a kept one with a higher score, of any class, overlaps
    it by more than ``SAME_PLATE_IOU`` or contains it. A smaller box never removes a larger one that
    contains it.

    Args:
        boxes: Left, top, right and bottom in pixels, float (N, 4).
        scores: Scores of the boxes, float (N,).

    Returns:
        Indices of the boxes to keep, int64 (K,), by decreasing score.

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
    # removed_by[i, j]: box i is removed if box j, which has a higher score, is kept.
    removed_by = (iou > SAME_PLATE_IOU) | (overlap > NESTED_SHARE * area[:, None])
    kept: list[int] = []
    for box, others in enumerate(removed_by.cpu().numpy()):
        if not others[kept].any():
            kept.append(box)
    return order[kept]
