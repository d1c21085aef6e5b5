"""MMDetection's RPN head with a backward pass that visits the sampled anchors only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.models.dense_heads import RPNHead
from mmdet.registry import MODELS
from torch import Tensor, nn

from .. import winograd

#: Share of the positions above which the whole map is cheaper than its parts.
DENSE_SHARE = 0.1


@MODELS.register_module()
class SparseGradRPNHead(RPNHead):
    """An RPN head that learns the same as MMDetection's in less time.

    The head looks at every position of every level, but its loss is taken at a few hundred sampled
    anchors: nearly all of the gradient that comes back is zero. Here only the positions that have
    one are computed once more, on their 3x3 neighborhoods, and differentiated. Outputs are those
    of ``RPNHead`` and gradients equal up to rounding; tensors are named the same. Where many
    positions have a gradient, with several convolutions, and under autocast the stock head works;
    on a GPU too, which would have to wait at every level to know the positions.

    Args:
        *args: As in ``mmdet.models.RPNHead``.
        **kwargs: Likewise.

    Example:
        >>> import torch
        >>> anchors = dict(type='AnchorGenerator', scales=[8], ratios=[1.0], strides=[8])
        >>> coder = dict(type='DeltaXYWHBBoxCoder')
        >>> loss = dict(type='CrossEntropyLoss', use_sigmoid=True)
        >>> head = SparseGradRPNHead(
        ...     16, feat_channels=8, anchor_generator=anchors, bbox_coder=coder, loss_cls=loss)
        >>> features = torch.rand(1, 16, 8, 8, requires_grad=True)
        >>> scores, deltas = head.forward_single(features)
        >>> scores[0, 0, 4, 4].backward()
        >>> features.grad.abs().sum(dim=1).count_nonzero().item()  # one neighborhood
        9
    """

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Score the anchors of one level.

        Args:
            x: A map of the pyramid, (N, in_channels, H, W).

        Returns:
            Scores (N, A, H, W) and box deltas (N, 4A, H, W).
        """
        learns = self.training and torch.is_grad_enabled() and not torch.jit.is_tracing()
        one_convolution = isinstance(self.rpn_conv, nn.Conv2d)
        exact_on_cpu = x.device.type == 'cpu' and not torch.is_autocast_enabled('cpu')
        if not (learns and one_convolution and exact_on_cpu):
            return super().forward_single(x)
        layers = (self.rpn_conv, self.rpn_cls, self.rpn_reg)
        weights = [tensor for layer in layers for tensor in (layer.weight, layer.bias)]
        return _SampledGradient.apply(x, *weights)


class _SampledGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x, *weights)
        return _head(x, weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, *weights = (t.detach().requires_grad_() for t in ctx.saved_tensors)
        touched = torch.stack([(g != 0).any(dim=1) for g in gradients]).any(dim=0)
        image, row, column = touched.nonzero(as_tuple=True)
        with torch.enable_grad():
            if len(image) > DENSE_SHARE * touched.numel():
                outputs = _head(x, weights)
            else:
                hidden = F.conv2d(_neighborhoods(x, image, row, column), *weights[:2])
                outputs = _outputs(hidden, weights)
                gradients = tuple(g[image, :, row, column][..., None, None] for g in gradients)
            return torch.autograd.grad(outputs, (x, *weights), gradients)


def _head(x: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    return _outputs(winograd.convolve(x, *weights[:2]), weights)


def _outputs(hidden: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    hidden = F.relu(hidden)
    return F.conv2d(hidden, weights[2], weights[3]), F.conv2d(hidden, weights[4], weights[5])


def _neighborhoods(x: Tensor, image: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """(K, C, 3, 3): what a 3x3 convolution sees at K positions, zero beyond the borders."""
    steps = torch.arange(-1, 2, device=x.device)
    rows, columns = row[:, None, None] + steps[:, None], column[:, None, None] + steps
    rows, columns = torch.broadcast_tensors(rows, columns)
    height, width = x.shape[2:]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    near = x.permute(0, 2, 3, 1)[
        image[:, None, None], rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    ]
    return (near * inside[..., None]).permute(0, 3, 1, 2)
