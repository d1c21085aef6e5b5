"""mmcv's operators in Python, with the signatures of its compiled extension.

These are the operators that Faster R-CNN and RetinaNet call, based on torch and torchvision, for
any device that these support. As in the extension, results are written into tensors that the
caller allocated, except for the indices that NMS returns.
"""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor

from . import roi_align
from .roi_align import Grid

__all__ = [
    'nms',
    'roi_align_backward',
    'roi_align_forward',
    'sigmoid_focal_loss_backward',
    'sigmoid_focal_loss_forward',
    'softnms',
]


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Suppress boxes that overlap a better one.

    Args:
        boxes: (N, 4) as x1, y1, x2, y2 in pixels.
        scores: (N,).
        iou_threshold: A box is removed if its IoU with a kept box is above this.
        offset: 0, or 1 where boxes include their last pixel.

    Returns:
        Indices of the kept boxes, int64, by descending score.

    Example:
        >>> boxes = torch.tensor([[0., 0., 9., 9.], [0., 0., 9., 8.], [20., 20., 30., 30.]])
        >>> nms(boxes, torch.tensor([0.5, 0.9, 0.7]), iou_threshold=0.5, offset=0)
        tensor([1, 2])
    """
    if offset:
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    return torchvision.ops.nms(boxes, scores, iou_threshold)


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Lower the scores of overlapping boxes (Bodla et al., 2017, https://arxiv.org/abs/1704.04503).

    Args:
        boxes: (N, 4) as x1, y1, x2, y2 in pixels.
        scores: (N,).
        dets: (N, 5), filled with the kept boxes and their lowered scores.
        iou_threshold: IoU from which the naive and linear methods lower a score.
        sigma: Parameter of the Gaussian method, which multiplies scores by exp(-IoU² / sigma).
        min_score: Boxes with a lowered score below this are dropped.
        method: 0 for naive, 1 for linear, 2 for Gaussian.
        offset: 0, or 1 where boxes include their last pixel.

    Returns:
        Indices of the kept boxes, int64, by descending lowered score.

    Example:
        >>> boxes = torch.tensor([[0., 0., 9., 9.], [0., 0., 9., 9.]])
        >>> scores, dets = torch.tensor([0.9, 0.8]), torch.zeros(2, 5)
        >>> softnms(boxes, scores, dets, 0.3, sigma=0.5, min_score=0.0, method=2, offset=0)
        tensor([0, 1])
        >>> dets[:, 4]
        tensor([0.9000, 0.1083])
    """
    far = boxes[:, 2:] + offset
    areas = (far - boxes[:, :2]).prod(dim=1)
    remaining = torch.arange(len(boxes), device=boxes.device)
    current = scores.clone()
    picked: list[Tensor] = []
    while len(remaining):
        best = remaining[current[remaining].argmax()]
        dets[len(picked), :4], dets[len(picked), 4] = boxes[best], current[best]
        picked.append(best)
        remaining = remaining[remaining != best]
        near_corner = torch.maximum(boxes[best, :2], boxes[remaining, :2])
        far_corner = torch.minimum(far[best], far[remaining])
        intersection = (far_corner - near_corner).clamp(min=0).prod(dim=1)
        iou = intersection / (areas[best] + areas[remaining] - intersection)
        current[remaining] *= _soft_weight(iou, iou_threshold, sigma, method)
        remaining = remaining[current[remaining] >= min_score]
    return torch.stack(picked) if picked else remaining


def _soft_weight(iou: Tensor, iou_threshold: float, sigma: float, method: int) -> Tensor:
    if method == 2:
        return torch.exp(-(iou**2) / sigma)
    lowered = 1 - iou if method == 1 else torch.zeros_like(iou)
    return torch.where(iou >= iou_threshold, lowered, torch.ones_like(iou))


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Pool each region of interest into a grid by bilinear sampling.

    Args:
        input: Feature map (N, C, H, W).
        rois: (R, 5) as image index, x1, y1, x2, y2 in pixels of the image.
        output: (R, C, aligned_height, aligned_width), filled with the result.
        argmax_y: Not used; for max pooling only.
        argmax_x: Not used; for max pooling only.
        aligned_height: Number of bins along the height of a region.
        aligned_width: Number of bins along its width.
        spatial_scale: Size of the feature map relative to the image, such as 1/8.
        sampling_ratio: Samples per bin and axis; 0 for as many as the bin has positions.
        pool_mode: 1, average pooling.
        aligned: Shift the regions by half a position of the map, as in Detectron2.

    Raises:
        NotImplementedError: ``pool_mode`` is 0, max pooling, which torchvision does not have.
    """
    if pool_mode != 1:
        raise NotImplementedError(
            "mmcv operator 'roi_align_forward' is provided for pool_mode='avg' only; install a "
            "compiled mmcv 2.1.0 to use 'max'."
        )
    if input.device.type == 'cpu':
        grid = Grid(aligned_height, aligned_width, spatial_scale, sampling_ratio, aligned)
        output.copy_(roi_align.forward(input, rois, grid))
        return
    output.copy_(
        torch.ops.torchvision.roi_align(
            input,
            rois.to(input.dtype),
            spatial_scale,
            aligned_height,
            aligned_width,
            sampling_ratio,
            aligned,
        )
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Compute the gradient of :func:`roi_align_forward` with respect to the feature map.

    Args:
        grad_output: Gradient of the output, (R, C, aligned_height, aligned_width).
        rois: As in the forward pass.
        argmax_y: Not used.
        argmax_x: Not used.
        grad_input: (N, C, H, W), filled with the result.
        aligned_height: As in the forward pass.
        aligned_width: As in the forward pass.
        spatial_scale: As in the forward pass.
        sampling_ratio: As in the forward pass.
        pool_mode: 1; the forward pass refuses 0.
        aligned: As in the forward pass.
    """
    if grad_output.device.type == 'cpu':
        grid = Grid(aligned_height, aligned_width, spatial_scale, sampling_ratio, aligned)
        grad_input.copy_(roi_align.backward(grad_output, rois, grid, tuple(grad_input.shape)))
        return
    grad_input.copy_(
        torch.ops.torchvision._roi_align_backward(
            grad_output,
            rois.to(grad_output.dtype),
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    )


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Compute the sigmoid focal loss (Lin et al., 2017, https://arxiv.org/abs/1708.02002).

    Args:
        input: Logits (N, C).
        target: Class indices (N,), int64 from 0 to C, where C is the background.
        weight: Weight of each class (C,), or empty.
        output: (N, C), filled with the loss.
        gamma: Focusing parameter; 0 gives weighted cross-entropy.
        alpha: Weight of positive samples, between 0 and 1; negative ones have 1 - alpha.

    Example:
        >>> logits, loss = torch.zeros(1, 2), torch.empty(1, 2)
        >>> sigmoid_focal_loss_forward(logits, torch.tensor([0]), torch.empty(0), loss, 2.0, 0.25)
        >>> loss  # -alpha * 0.5 ** 2 * log(0.5) for class 0, with 1 - alpha for class 1
        tensor([[0.0433, 0.1300]])
    """
    positive = _one_hot(target, input)
    log_p, log_q = _log_probabilities(input)
    p = log_p.exp()
    loss = -positive * alpha * (1 - p) ** gamma * log_p
    loss -= (1 - positive) * (1 - alpha) * p**gamma * log_q
    output.copy_(loss * _class_weight(target, weight, input))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Compute the gradient of :func:`sigmoid_focal_loss_forward` with respect to the logits.

    Args:
        input: Logits (N, C).
        target: Class indices (N,), int64 from 0 to C, where C is the background.
        weight: Weight of each class (C,), or empty.
        grad_input: (N, C), filled with the result.
        gamma: As in the forward pass.
        alpha: As in the forward pass.
    """
    positive = _one_hot(target, input)
    log_p, log_q = _log_probabilities(input)
    p = log_p.exp()
    grad = -positive * alpha * (1 - p) ** gamma * (1 - p - gamma * p * log_p)
    grad -= (1 - positive) * (1 - alpha) * p**gamma * (gamma * (1 - p) * log_q - p)
    grad_input.copy_(grad * _class_weight(target, weight, input))


def _one_hot(target: Tensor, logits: Tensor) -> Tensor:
    """Return (N, C) with 1 at the class of each row; background rows are zero."""
    classes = torch.arange(logits.size(1), device=logits.device)
    return (target[:, None] == classes).to(logits.dtype)


def _log_probabilities(logits: Tensor) -> tuple[Tensor, Tensor]:
    return torch.nn.functional.logsigmoid(logits), torch.nn.functional.logsigmoid(-logits)


def _class_weight(target: Tensor, weight: Tensor, logits: Tensor) -> Tensor:
    """Return the weight of the class of each row, (N, 1); 1 for background.

    Without class weights, (1, 1) with 1.
    """
    if not weight.numel():
        return logits.new_ones(1, 1)
    return torch.cat([weight, weight.new_ones(1)])[target][:, None].to(logits.dtype)
