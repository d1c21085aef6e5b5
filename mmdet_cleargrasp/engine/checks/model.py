"""The model: its strides and its weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from mmdet.registry import MODELS
from torch import nn

from ...utils.findings import Finding, error, ok
from ..run_plan import RunPlan
from .building import build
from .weights import check_weights

#: Side in pixels of the image on which strides are measured.
MEASURED_SIZE = 256


def check_model(plan: RunPlan) -> Iterable[Finding]:
    """Build the backbone, and compare it with the strides of the heads and the run's weights.

    Args:
        plan: Of the run.
    """
    model = plan.cfg.model
    if not isinstance(model.get('backbone'), dict):
        yield error('backbone', 'model has no backbone=dict(type=...), expected as in configs/')
        return
    backbone = build('backbone', model.backbone)
    yield from _check_strides(model, backbone)
    yield from check_weights(plan, backbone)


def measure_strides(backbone: nn.Module) -> tuple[int, ...]:
    """Pixels of the input for each position of a backbone's maps, by one forward pass.

    Args:
        backbone: May be on ``'meta'``, whose tensors have shapes but no values.

    Example:
        >>> measure_strides(nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1)))
        (4,)
    """
    device = next(backbone.parameters()).device
    was_training = backbone.training
    backbone.eval()
    with torch.no_grad():
        maps = backbone(torch.zeros(1, 3, MEASURED_SIZE, MEASURED_SIZE, device=device))
    backbone.train(was_training)
    levels = maps if isinstance(maps, tuple | list) else (maps,)
    return tuple(round(MEASURED_SIZE / level.shape[-1]) for level in levels)


def _check_strides(model: dict[str, Any], backbone: nn.Module) -> Iterable[Finding]:
    """Compare the strides of anchors and RoI extractor with those of the backbone.

    mmdet's FPN interpolates maps of any size to each other, so that wrong strides train silently.
    """
    neck = model.get('neck') or dict(type=None)
    if neck.get('type') not in ('FPN', None):
        return
    strides = getattr(backbone, 'out_strides', None) or _measured(model, backbone)
    levels = list(strides[neck.get('start_level', 0) :])
    while len(levels) < neck.get('num_outs', 0):
        levels.append(levels[-1] * 2)
    heads = _strides_of_heads(model)
    wrong = {key: found for key, found in heads.items() if found != levels[: len(found)]}
    for key, found in wrong.items():
        yield error(
            'strides',
            f'{key} has strides {found}, but backbone and neck give {levels}: set them to '
            f'{levels[: len(found)]}, or change the backbone',
        )
    if not wrong:
        yield ok('strides', f'{levels} in backbone and neck, anchors and RoI extractor')


def _measured(model: dict[str, Any], backbone: nn.Module) -> Sequence[int]:
    try:
        return measure_strides(backbone)
    except (NotImplementedError, RuntimeError):  # not on 'meta'
        return measure_strides(MODELS.build(model['backbone']))


def _strides_of_heads(model: dict[str, Any]) -> dict[str, list[int]]:
    heads = {
        key: list(model[key].anchor_generator.strides)
        for key in ('rpn_head', 'bbox_head')
        if 'anchor_generator' in model.get(key, {})
    }
    extractor = model.get('roi_head', {}).get('bbox_roi_extractor', {})
    if 'featmap_strides' in extractor:
        heads['roi_head.bbox_roi_extractor'] = list(extractor['featmap_strides'])
    return heads
