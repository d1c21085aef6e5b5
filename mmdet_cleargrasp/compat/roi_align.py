"""RoIAlign on a CPU: bilinear sampling as two small matrix products per region.

The average of bilinear samples on a grid is linear in the rows and in the columns of the feature
map. The output for a region is therefore ``rows @ crop @ columns.T``, where ``rows`` (bins, h) and
``columns`` (bins, w) are the weights of the positions that the region covers, and the gradient is
computed with their transposes. Values are equal to torchvision's up to rounding. torchvision's
operator loops over samples and channels on one thread and takes several times as long
(docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Grid(NamedTuple):
    """Sampling parameters of RoIAlign.

    Attributes:
        height: Number of bins along the height of a region.
        width: Number of bins along its width.
        spatial_scale: Size of the feature map relative to the image, such as 1/8.
        sampling_ratio: Samples per bin and axis; 0 for as many as the bin has positions.
        aligned: Shift the regions by half a position of the map, as in Detectron2.
    """

    height: int
    width: int
    spatial_scale: float
    sampling_ratio: int
    aligned: bool


def forward(features: Tensor, rois: Tensor, grid: Grid) -> Tensor:
    """Pool each region of interest into a grid of bins.

    Args:
        features: Feature map (N, C, H, W) on the CPU; fastest in channels-last memory format.
        rois: (R, 5) as image index, x1, y1, x2, y2 in pixels of the image.
        grid: Sampling parameters.

    Returns:
        Averages of the bins, (R, C, height, width).

    Example:
        >>> ramp = torch.arange(8.0).expand(1, 1, 8, 8)
        >>> grid = Grid(1, 2, spatial_scale=1.0, sampling_ratio=2, aligned=True)
        >>> forward(ramp, torch.tensor([[0.0, 2.0, 2.0, 6.0, 6.0]]), grid)
        tensor([[[[2.5000, 4.5000]]]])
    """
    positions = features.permute(0, 2, 3, 1).contiguous()
    channels = features.size(1)
    pooled = features.new_empty(len(rois), grid.height, grid.width, channels)
    for region, window, rows, columns in _regions(rois, features.shape, grid, features.dtype):
        crop = positions[window]
        height, width = crop.shape[:2]
        rows_done = (rows @ crop.reshape(height, -1)).view(-1, width, channels)
        torch.matmul(columns, rows_done, out=pooled[region])
    return pooled.permute(0, 3, 1, 2)


def backward(grad: Tensor, rois: Tensor, grid: Grid, shape: tuple[int, ...]) -> Tensor:
    """Compute the gradient of :func:`forward` with respect to the feature map.

    Args:
        grad: Gradient of the output, (R, C, height, width), on the CPU.
        rois: As in the forward pass.
        grid: As in the forward pass.
        shape: Shape of the feature map, (N, C, H, W).

    Returns:
        Gradient of that shape.

    Example:
        >>> grid = Grid(1, 1, spatial_scale=1.0, sampling_ratio=1, aligned=True)
        >>> rois = torch.tensor([[0.0, 1.0, 1.0, 2.0, 2.0]])
        >>> backward(torch.ones(1, 1, 1, 1), rois, grid, (1, 1, 3, 3))[0, 0]
        tensor([[0., 0., 0.],
                [0., 1., 0.],
                [0., 0., 0.]])
    """
    images, channels, height, width = shape
    grad_positions = grad.new_zeros(images, height, width, channels)
    grad_bins = grad.permute(0, 2, 3, 1).contiguous()
    for region, window, rows, columns in _regions(rois, shape, grid, grad.dtype):
        columns_done = columns.t() @ grad_bins[region]
        crop = rows.t() @ columns_done.view(grid.height, -1)
        grad_positions[window] += crop.view(rows.size(1), columns.size(1), channels)
    return grad_positions.permute(0, 3, 1, 2)


def _regions(
    rois: Tensor, shape: tuple[int, ...], grid: Grid, dtype: torch.dtype
) -> Iterator[tuple[int, tuple[int, slice, slice], Tensor, Tensor]]:
    """Yield index, window in (N, H, W, C), row weights and column weights of each region."""
    offset = 0.5 if grid.aligned else 0.0
    left, top, right, bottom = (rois[:, 1:].float() * grid.spatial_scale - offset).unbind(dim=1)
    widths, heights = right - left, bottom - top
    if not grid.aligned:
        widths, heights = widths.clamp(min=1), heights.clamp(min=1)
    rows = _axis_weights(top, heights, shape[2], grid.height, grid.sampling_ratio)
    columns = _axis_weights(left, widths, shape[3], grid.width, grid.sampling_ratio)
    spans = zip(rois[:, 0].long().tolist(), _covered(rows), _covered(columns), strict=True)
    rows, columns = rows.to(dtype), columns.to(dtype)
    for region, (image, down, across) in enumerate(spans):
        window = (image, down, across)
        yield region, window, rows[region, :, down], columns[region, :, across]


def _axis_weights(start: Tensor, extent: Tensor, size: int, bins: int, ratio: int) -> Tensor:
    """Return the weight of each position along one axis in the average of each bin.

    Args:
        start: (R,) first coordinate of each region, in positions of the map.
        extent: (R,) length of each region.
        size: Number of positions along the axis.
        bins: Number of bins along the axis.
        ratio: Samples per bin; 0 for as many as the bin has positions.

    Returns:
        (R, bins, size).
    """
    if not len(start):
        return start.new_zeros(0, bins, size)
    samples = torch.full_like(start, ratio) if ratio > 0 else torch.ceil(extent / bins)
    counts = samples.clamp(min=1)[:, None, None]
    sample = torch.arange(int(counts.max()))
    step = (extent / bins)[:, None, None]
    # Added in torchvision's order, so that rounding puts samples on the same positions.
    at = start[:, None, None] + torch.arange(bins)[:, None] * step + (sample + 0.5) * step / counts
    counted = (sample < samples[:, None, None]) & (at >= -1) & (at <= size)
    at = at.clamp(0, size - 1)
    low = at.floor()
    weight = counted / counts
    weights = start.new_zeros(len(start), bins, size)
    weights.scatter_add_(2, low.long(), (1 - (at - low)) * weight)
    return weights.scatter_add_(2, (low.long() + 1).clamp(max=size - 1), (at - low) * weight)


def _covered(weights: Tensor) -> list[slice]:
    """Return a slice per region, from its first to its last position with a weight."""
    used = (weights != 0).any(dim=1)
    first = used.int().argmax(dim=1)
    last = used.size(1) - used.flip(1).int().argmax(dim=1)
    return [slice(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
