"""MMDetection's RetinaNet head without the backward passes through which nothing comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.dense_heads import RetinaHead
from mmdet.registry import MODELS
from torch import Tensor, nn

from .sparse_convolution import convolve_at

#: Share of the positions above which the whole map is cheaper than its parts.
DENSE_SHARE = 0.6


@MODELS.register_module()
class SparseGradRetinaHead(RetinaHead):
    """A RetinaNet head that learns the same as MMDetection's in less time.

    Boxes are regressed at positive anchors only, and an image's few plates have theirs on one or
    two levels of the pyramid. On the others the whole gradient of the regression branch is zero:
    there its backward pass is skipped. Outputs and gradients are those of ``RetinaHead``. On a GPU,
    which would have to wait at every level to know, the whole backward pass is done.

    In prediction on a CPU, boxes are regressed only where a class score passes the score threshold
    of the config (``test_cfg.score_thr``); the others, which are dropped, are zero. Detections are
    those of ``RetinaHead`` up to rounding.

    Args:
        *args: As in ``mmdet.models.RetinaHead``.
        **kwargs: Likewise.

    Example:
        >>> import torch
        >>> anchors = dict(type='AnchorGenerator', scales=[8], ratios=[1.0], strides=[8, 16])
        >>> head = SparseGradRetinaHead(2, 16, stacked_convs=1, anchor_generator=anchors)
        >>> levels = [torch.rand(1, 16, side, side, requires_grad=True) for side in (8, 4)]
        >>> scores, deltas = head(levels)
        >>> (0 * deltas[0].sum() + deltas[1].sum()).backward()
        >>> [level.grad is None for level in levels]
        [True, False]
    """

    def forward(self, x: tuple[Tensor, ...]) -> tuple[list[Tensor], list[Tensor]]:
        """Score the anchors of all levels.

        Args:
            x: The pyramid's maps, (N, in_channels, H, W) each.

        Returns:
            Of each level scores (N, A * classes, H, W) and box
            deltas (N, 4A, H, W).
        """
        if self.can_skip_boxes(x[0]):
            scores = self.score(x)
            return scores, self.regress_passing(x, scores)
        scores, deltas = super().forward(x)
        if not torch.is_grad_enabled() or torch.jit.is_tracing() or x[0].device.type != 'cpu':
            return scores, deltas
        # The last and smallest level keeps its zeros: optimizers treat them unlike no gradient.
        return scores, [*(_WithoutZeroGradient.apply(level) for level in deltas[:-1]), deltas[-1]]

    def can_skip_boxes(self, x: Tensor) -> bool:
        """Whether :meth:`forward` computes only some boxes of a map."""
        is_plain = all(
            type(layer.conv) is nn.Conv2d
            and not layer.with_norm
            and type(layer.activate) is nn.ReLU
            for layer in self.reg_convs
        )
        predicts = not self.training and not torch.is_grad_enabled() and self.test_cfg is not None
        exports = torch.jit.is_tracing() or torch.compiler.is_compiling()
        return (
            predicts
            and not exports
            and is_plain
            and self.use_sigmoid_cls
            and x.device.type == 'cpu'
        )

    def score(self, x: Sequence[Tensor]) -> list[Tensor]:
        """Class scores of all levels, as in :meth:`forward`."""
        scores = []
        for level in x:
            for layer in self.cls_convs:
                level = layer(level)
            scores.append(self.retina_cls(level))
        return scores

    def regress_passing(self, x: Sequence[Tensor], scores: Sequence[Tensor]) -> list[Tensor]:
        """Box deltas of all levels where a score passes the threshold, and zeros elsewhere."""
        return [self._regress_passing(*pair) for pair in zip(x, scores, strict=True)]

    def _regress_passing(self, x: Tensor, scores: Tensor) -> Tensor:
        lowest = 0.999 * self.test_cfg.get('score_thr', 0)  # by less than rounding changes
        passing = scores.amax(dim=1).sigmoid() > lowest
        layers = [*(layer.conv for layer in self.reg_convs), self.retina_reg]
        found = convolve_at(x, passing, layers, DENSE_SHARE)
        if found is None:
            for layer in self.reg_convs:
                x = layer(x)
            return self.retina_reg(x)
        deltas = found.new_zeros(*passing.shape, found.shape[1])
        deltas[passing] = found
        return deltas.permute(0, 3, 1, 2)


class _WithoutZeroGradient(torch.autograd.Function):
    """The identity; a gradient of zeros ends here, and autograd skips what is behind."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor | None:
        return gradient if gradient.any() else None
