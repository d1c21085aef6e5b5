"""The networks of a detector that a runtime computes, and their use by MMDetection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmdet.models.dense_heads import AnchorHead
from mmdet.models.detectors import SingleStageDetector, TwoStageDetector
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from torch import Tensor, nn

from ...models.dense_heads import SparseGradRetinaHead
from ...utils.errors import ConfigError


class DenseNetwork(nn.Module):
    """Backbone, neck and dense head of a detector as one function of an image batch.

    Args:
        model: Faster R-CNN, RetinaNet or another detector with an anchor head.

    Raises:
        ConfigError: Another kind of detector.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        two_stages = isinstance(model, TwoStageDetector)
        name = 'rpn_head' if two_stages else 'bbox_head'
        self.head: Any = getattr(model, name, None)
        known = isinstance(model, SingleStageDetector | TwoStageDetector)
        if not known or not isinstance(self.head, AnchorHead):
            raise ConfigError(
                f'{type(model).__name__} runs in torch only, in float32: use --runtime torch '
                'without --amp'
            )
        self.model = model
        # Bound now: the model's own are replaced later.
        self._extract_feat, self._predict = model.extract_feat, self.head.forward
        #: Whether the head regresses few boxes, in torch, after the scores are there.
        with torch.no_grad():
            self.skips_boxes = isinstance(self.head, SparseGradRetinaHead) and (
                self.head.can_skip_boxes(next(model.parameters()))
            )
        #: Number of feature maps that are read later, by the RoI head or for these boxes.
        levels = len(self.head.prior_generator.strides)
        self.maps = levels if self.skips_boxes else 0
        if two_stages:
            extractor = getattr(model.roi_head, 'bbox_roi_extractor', None)
            self.maps = getattr(extractor, 'num_inputs', levels)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the maps that are read later, then scores, then box deltas, by level.

        Args:
            images: Normalized, (N, 3, H, W).
        """
        features = self._extract_feat(images)
        if self.skips_boxes:
            return (*features, *self.head.score(features))
        scores, deltas = self._predict(features)
        return (*features[: self.maps], *scores, *deltas)


class FeatureMaps(tuple):
    """Feature maps, with the dense head's outputs that were computed along with them."""

    predictions: tuple[list[Tensor], list[Tensor]]


def box_network(model: Any) -> Any:
    """The box head of a Faster R-CNN; ``None`` if there is none or it is of another kind."""
    roi_head: Any = getattr(model, 'roi_head', None)
    is_known = isinstance(roi_head, StandardRoIHead) and isinstance(roi_head.bbox_head, BBoxHead)
    return roi_head.bbox_head if is_known else None


def use_networks(
    model: Any,
    dense: DenseNetwork,
    compute_dense: Callable[[Tensor], Sequence[Tensor]],
    compute_boxes: Callable[[Tensor], Sequence[Tensor]] | None,
) -> None:
    """Let MMDetection's prediction use compiled networks.

    Args:
        model: The detector; changed. It can no longer be trained.
        dense: What ``compute_dense`` was compiled from.
        compute_dense: Returns the outputs of :class:`DenseNetwork`.
        compute_boxes: Returns the outputs of the box head; without it, torch computes it.
    """

    def extract_feat(images: Tensor) -> FeatureMaps:
        outputs = list(compute_dense(images))
        maps, predictions = FeatureMaps(outputs[: dense.maps]), outputs[dense.maps :]
        if dense.skips_boxes:
            maps.predictions = predictions, dense.head.regress_passing(maps, predictions)
        else:
            levels = len(predictions) // 2
            maps.predictions = predictions[:levels], predictions[levels:]
        return maps

    model.extract_feat = extract_feat
    dense.head.forward = lambda maps: maps.predictions
    if compute_boxes is not None:
        box_network(model).forward = lambda regions: tuple(compute_boxes(regions))
