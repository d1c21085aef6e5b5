"""RetinaNet head that regresses boxes only where the loss or the score threshold needs them."""

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
from ..tracing import is_traced
from .sparse_convolution import convolve_at

#: Fraction of a map's positions above which computing the whole map is faster, in prediction and
#: in training.
DENSE_SHARE, DENSE_SHARE_IN_TRAINING = 0.6, 0.35


@MODELS.register_module()
class SparseGradRetinaHead(RetinaHead):
    """MMDetection's ``RetinaHead``, faster on a CPU.

    The box loss is computed at positive anchors only; the few plates of an image have them on one
    or two pyramid levels, near their centers. In training on a CPU, boxes are regressed only at
    positions with a positive anchor. Losses and gradients equal those of ``RetinaHead`` up to
    rounding. All boxes are regressed on a GPU, which would have to synchronize at every level to
    find the positions, and if the box branch has norm layers.

    In prediction on a CPU, boxes are regressed only where a class score exceeds the score threshold
    ``test_cfg.score_thr``; the deltas of other boxes, which are discarded, are zero. Detections
    equal those of ``RetinaHead`` up to rounding.

    Args:
        *args: Arguments of ``mmdet.models.RetinaHead``.
        **kwargs: Keyword arguments of ``mmdet.models.RetinaHead``.

    Example:
        >>> import torch
        >>> anchors = dict(type='AnchorGenerator', scales=[8], ratios=[1.0], strides=[8, 16])
        >>> head = SparseGradRetinaHead(2, 16, stacked_convs=1, anchor_generator=anchors)
        >>> scores, deltas = head([torch.rand(1, 16, side, side) for side in (8, 4)])
        >>> [tuple(level.shape) for level in deltas]
        [(1, 4, 8, 8), (1, 4, 4, 4)]
    """

    def forward(self, x: tuple[Tensor, ...]) -> tuple[list[Tensor], list[Tensor]]:
        """Compute class scores and box deltas.

        Args:
            x: Map of each pyramid level, (N, in_channels, H, W).

        Returns:
            Class scores (logits) of each level, (N, A * num_classes, H, W), and box deltas of each
            level, (N, 4 * A, H, W), for A anchors per position.
        """
        if self.can_skip_boxes(x[0]):
            scores = self.score(x)
            return scores, self.regress_passing(x, scores)
        return super().forward(x)

    def loss(self, x: tuple[Tensor, ...], batch_data_samples: SampleList) -> dict[str, Any]:
        """Compute the losses, regressing boxes at positive anchors only.

        Args:
            x: Map of each pyramid level, (N, in_channels, H, W).
            batch_data_samples: Ground truth of each image.

        Returns:
            ``loss_cls`` and ``loss_bbox``, one value per level, as in ``RetinaHead``.
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
        """Compute a level's losses, as in ``RetinaHead``; ``bbox_pred`` may be not computed yet."""
        if isinstance(bbox_pred, _NotRegressed):
            images, _, height, width = cls_score.shape
            positive = bbox_weights.view(images, height, width, -1).any(dim=-1)
            if positive.any() or bbox_pred.always:
                bbox_pred = self._regress_at(bbox_pred.x, positive, DENSE_SHARE_IN_TRAINING)
            else:
                shape = (images, self.retina_reg.out_channels, height, width)
                bbox_pred = cls_score.new_zeros(shape)
        return super().loss_by_feat_single(
            cls_score, bbox_pred, anchors, labels, label_weights, bbox_targets, bbox_weights,
            avg_factor,
        )  # fmt: skip

    def can_skip_boxes(self, x: Tensor) -> bool:
        """Whether :meth:`forward` regresses only boxes whose score exceeds the threshold.

        Args:
            x: A tensor on the device of the maps.
        """
        predicts = not self.training and not torch.is_grad_enabled() and self.test_cfg is not None
        return (
            predicts
            and not is_traced()
            and self._has_plain_boxes()
            and self.use_sigmoid_cls
            and x.device.type == 'cpu'
        )

    def score(self, x: Sequence[Tensor]) -> list[Tensor]:
        """Compute the class scores of all levels.

        Args:
            x: Map of each pyramid level, (N, in_channels, H, W).

        Returns:
            Class scores (logits) of each level, (N, A * num_classes, H, W).
        """
        scores = []
        for level in x:
            for layer in self.cls_convs:
                level = layer(level)
            scores.append(self.retina_cls(level))
        return scores

    def regress_passing(self, x: Sequence[Tensor], scores: Sequence[Tensor]) -> list[Tensor]:
        """Compute box deltas where a score exceeds the threshold.

        Args:
            x: Map of each pyramid level, (N, in_channels, H, W).
            scores: Class scores of each level, from :meth:`score`.

        Returns:
            Box deltas of each level, (N, 4 * A, H, W), zero where not computed.
        """
        return [self._regress_passing(*pair) for pair in zip(x, scores, strict=True)]

    def _regress_passing(self, x: Tensor, scores: Tensor) -> Tensor:
        # A margin for rounding: a score that exceeds the threshold later must not be missed here.
        lowest = 0.999 * self.test_cfg.get('score_thr', 0)
        return self._regress_at(x, scores.amax(dim=1).sigmoid() > lowest, DENSE_SHARE)

    def _has_plain_boxes(self) -> bool:
        """Whether the box branch consists of convolutions and ReLUs only."""
        return all(
            type(layer.conv) in (nn.Conv2d, FastConv2d)
            and not layer.with_norm
            and type(layer.activate) is nn.ReLU
            for layer in self.reg_convs
        )

    def _regress_at(self, x: Tensor, wanted: Tensor, dense_share: float) -> Tensor:
        """Box deltas of a level, (N, 4 * A, H, W): at wanted positions, or everywhere if faster."""
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
    """A level's feature map, whose box deltas are computed once positive anchors are known.

    Attributes:
        x: Feature map, (N, in_channels, H, W).
        always: Compute box deltas even without a positive anchor.
    """

    x: Tensor
    always: bool
