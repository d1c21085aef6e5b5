"""RPN head whose backward pass computes only positions with a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.models.dense_heads import RPNHead
from mmdet.registry import MODELS
from torch import Tensor, nn

from .. import winograd
from ..tracing import is_traced

#: Fraction of a map's positions above which computing the whole map is faster.
DENSE_SHARE = 0.1


@MODELS.register_module()
class SparseGradRPNHead(RPNHead):
    """MMDetection's ``RPNHead``, faster on a CPU, mainly in its backward pass.

    The RPN loss is computed at a few hundred sampled anchors, so the gradient of the outputs is
    zero at nearly all positions. The backward pass recomputes and differentiates only positions
    with a nonzero gradient, from their 3x3 neighborhoods. Outputs and gradients equal those of
    ``RPNHead`` up to rounding, and tensor names are the same.

    ``RPNHead``'s own implementation is used with several convolutions, under autocast, and on a
    GPU, which would have to synchronize at every level to find the positions.

    Args:
        *args: Arguments of ``mmdet.models.RPNHead``.
        **kwargs: Keyword arguments of ``mmdet.models.RPNHead``.

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
        >>> features.grad.abs().sum(dim=1).count_nonzero().item()  # one 3x3 neighborhood
        9
    """

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute objectness scores and box deltas of one level.

        Args:
            x: Map of the level, (N, in_channels, H, W).

        Returns:
            Objectness scores (logits), (N, A, H, W), and box deltas, (N, 4 * A, H, W), for A
            anchors per position.
        """
        one_convolution = isinstance(self.rpn_conv, nn.Conv2d)
        exact_on_cpu = x.device.type == 'cpu' and not torch.is_autocast_enabled('cpu')
        if is_traced() or not (one_convolution and exact_on_cpu):
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
        has_gradient = torch.stack([(g != 0).any(dim=1) for g in gradients]).any(dim=0)
        image, row, column = has_gradient.nonzero(as_tuple=True)
        with torch.enable_grad():
            if len(image) > DENSE_SHARE * has_gradient.numel():
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
    """The 3x3 neighborhoods of K positions, (K, C, 3, 3), with zero padding at the borders."""
    steps = torch.arange(-1, 2, device=x.device)
    rows, columns = row[:, None, None] + steps[:, None], column[:, None, None] + steps
    rows, columns = torch.broadcast_tensors(rows, columns)
    height, width = x.shape[2:]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    near = x.permute(0, 2, 3, 1)[
        image[:, None, None], rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    ]
    return (near * inside[..., None]).permute(0, 3, 1, 2)
