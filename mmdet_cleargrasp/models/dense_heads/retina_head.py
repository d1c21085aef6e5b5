"""MMDetection's RetinaNet head that regresses only the boxes that count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmdet.models.dense_heads import RetinaHead
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor, nn

from ..convolution import FastConv2d
from .sparse_convolution import convolve_at

#: Share of the positions above which the whole map is cheaper than its parts, in prediction and in
#: training.
DENSE_SHARE, DENSE_SHARE_IN_TRAINING = 0.6, 0.35


@MODELS.register_module()
class SparseGradRetinaHead(RetinaHead):
    """A RetinaNet head that learns the same as MMDetection's in less time.

    The loss counts boxes at positive anchors only, which an image's few plates have on one or two
    levels of the pyramid, around their centers. In training on a CPU, boxes are regressed at the
    positions of these anchors only; losses and gradients are those of ``RetinaHead`` up to
    rounding. On a GPU, which would have to wait at every level to know the positions, and with
    norm layers in the box branch, all boxes are regressed.

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
        >>> scores, deltas = head([torch.rand(1, 16, side, side) for side in (8, 4)])
        >>> [tuple(level.shape) for level in deltas]
        [(1, 4, 8, 8), (1, 4, 4, 4)]
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
        return super().forward(x)

    def loss(self, x: tuple[Tensor, ...], batch_data_samples: SampleList) -> dict[str, Any]:
        """Score the anchors of all levels and regress the boxes of the positive ones.

        Args:
            x: The pyramid's maps, (N, in_channels, H, W) each.
            batch_data_samples: With the ground truth.

        Returns:
            The losses, as from ``RetinaHead``.
        """
        if x[0].device.type != 'cpu' or not self._has_plain_boxes():
            return super().loss(x, batch_data_samples)
        boxes, ignored, metas = unpack_gt_instances(batch_data_samples)
        # The last and smallest level always has a gradient, of zeros without a plate: optimizers
        # skip parameters without one, and DistributedDataParallel would wait for them.
        maps = [_NotRegressed(level, level is x[-1]) for level in x]
        return self.loss_by_feat(self.score(x), maps, boxes, metas, ignored)

    def loss_by_feat_single(
        self,
        cls_score: Tensor,
        bbox_pred: Tensor | _NotRegressed,
        anchors: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        bbox_targets: Tensor,
        bbox_weights: Tensor,
        avg_factor: int,
    ) -> tuple[Tensor, Tensor]:
        """Losses of a level, as in ``RetinaHead``, from box deltas or the map to regress."""
        if isinstance(bbox_pred, _NotRegressed):
            images, _, height, width = cls_score.shape
            counted = bbox_weights.view(images, height, width, -1).any(dim=-1)
            if counted.any() or bbox_pred.always:
                bbox_pred = self._regress_at(bbox_pred.x, counted, DENSE_SHARE_IN_TRAINING)
            else:
                shape = (images, self.retina_reg.out_channels, height, width)
                bbox_pred = cls_score.new_zeros(shape)
        return super().loss_by_feat_single(
            cls_score, bbox_pred, anchors, labels, label_weights, bbox_targets, bbox_weights,
            avg_factor,
        )  # fmt: skip

    def can_skip_boxes(self, x: Tensor) -> bool:
        """Whether :meth:`forward` computes only some boxes of a map."""
        predicts = not self.training and not torch.is_grad_enabled() and self.test_cfg is not None
        exports = torch.jit.is_tracing() or torch.compiler.is_compiling()
        return (
            predicts
            and not exports
            and self._has_plain_boxes()
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
        return self._regress_at(x, scores.amax(dim=1).sigmoid() > lowest, DENSE_SHARE)

    def _has_plain_boxes(self) -> bool:
        """Whether the box branch is convolutions and ReLUs only."""
        return all(
            type(layer.conv) in (nn.Conv2d, FastConv2d)
            and not layer.with_norm
            and type(layer.activate) is nn.ReLU
            for layer in self.reg_convs
        )

    def _regress_at(self, x: Tensor, wanted: Tensor, dense_share: float) -> Tensor:
        """Box deltas of a level where they are wanted, and zeros or box deltas elsewhere."""
        layers = [*(layer.conv for layer in self.reg_convs), self.retina_reg]
        found = convolve_at(x, wanted, layers, dense_share)
        if found is None:
            for layer in self.reg_convs:
                x = layer(x)
            return self.retina_reg(x)
        deltas = found.new_zeros(*wanted.shape, found.shape[1])
        deltas[wanted] = found
        return deltas.permute(0, 3, 1, 2)


class _NotRegressed(NamedTuple):
    """A level whose box deltas are computed once it is known which ones count.

    Attributes:
        x: Its map.
        always: Compute them even where none count.
    """

    x: Tensor
    always: bool
