"""3x3 convolutions at selected positions of a map."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def convolve_at(
    x: Tensor, wanted: Tensor, layers: Sequence[nn.Conv2d], dense_share: float = 1.0
) -> Tensor | None:
    """Compute a sequence of 3x3 convolutions, with ReLU between them, at selected positions only.

    Each layer is computed, as one matrix product, at the positions that the next layer reads.

    Args:
        x: Input map, (N, C, H, W).
        wanted: Positions whose output is computed, bool (N, H, W).
        layers: Convolutions with kernel 3, padding 1 and stride 1.
        dense_share: Fraction of the positions, in [0, 1], above which nothing is computed.

    Returns:
        Outputs at the K wanted positions, (K, out_channels), in the order of ``wanted.nonzero()``
        and equal to those of the whole map up to rounding; ``None`` if the first layer is needed at
        more than ``dense_share`` of the positions, where computing the whole map is faster.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> layers = [nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 2, 3, padding=1)]
        >>> x, wanted = torch.rand(1, 4, 9, 9), torch.zeros(1, 9, 9, dtype=torch.bool)
        >>> wanted[0, 0, 5] = True
        >>> expected = layers[1](layers[0](x).relu())[0, :, 0, 5]
        >>> torch.allclose(convolve_at(x, wanted, layers)[0], expected, atol=1e-6)
        True
    """
    needed = [wanted]
    for _ in layers[1:]:
        needed.insert(0, F.max_pool2d(needed[0].float()[:, None], 3, 1, 1)[:, 0] > 0)
    if needed[0].sum() > dense_share * wanted.numel():
        return None
    values, computed = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]), torch.ones_like(wanted)
    for layer, positions in zip(layers, needed, strict=True):
        values = F.relu(values) if layer is not layers[0] else values
        neighbors = _neighbors(computed, positions)
        near = F.embedding(
            neighbors, _with_zero_row(values)
        )  # its backward is faster than indexing's
        values = F.linear(near.transpose(1, 2).flatten(1), layer.weight.flatten(1), layer.bias)
        computed = positions
    return values


def _neighbors(computed: Tensor, positions: Tensor) -> Tensor:
    """Indices of the computed values around K positions, (K, 9); their number is for padding."""
    index = (computed.flatten().cumsum(0) - 1).view_as(computed)
    index = F.pad(index, (1, 1, 1, 1), value=int(computed.sum()))
    image, row, column = (values[:, None] for values in positions.nonzero(as_tuple=True))
    steps = torch.arange(9, device=index.device)
    return index[image, row + steps // 3, column + steps % 3]


def _with_zero_row(values: Tensor) -> Tensor:
    """Append a row of zeros, which the indices of padding refer to."""
    return F.pad(values, (0, 0, 0, 1))
