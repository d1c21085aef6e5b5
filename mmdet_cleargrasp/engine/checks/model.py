"""Model, strides and weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from torch import nn

from ...checkpoints import check_fit, describe_fit, fit_detector, open_backbone, open_detector
from ...checkpoints.checksums import missing_checksums
from ...utils.errors import ConfigError
from ...utils.findings import Finding, error, ok, warning
from ..run_plan import RunPlan, Weights

#: Side in pixels of the image on which strides are measured.
MEASURED_SIZE = 256


def check_model(plan: RunPlan, *, with_file: bool = True) -> Iterable[Finding]:
    """Build the backbone, and compare it with the strides of the heads and the file it starts from.

    Args:
        plan: Of the run.
        with_file: Whether the file that ``init_cfg`` names will be read.
    """
    model = plan.cfg.model
    if not isinstance(model.get('backbone'), dict):
        yield error('backbone', 'model has no backbone=dict(type=...), expected as in configs/')
        return
    backbone = build('backbone', model.backbone)
    yield from _check_strides(model, backbone)
    if plan.weights.part == 'backbone':
        yield from _check_backbone_file(plan.weights, backbone, with_file=with_file)
    elif with_file:
        yield from _check_detector_file(plan.weights, build('model', model))


def build(subject: str, cfg: dict[str, Any]) -> nn.Module:
    """Build a module without memory for its weights, where it can be built so.

    Args:
        subject: What it is, for the message.
        cfg: Of the module.

    Raises:
        ConfigError: It cannot be built.
    """
    try:
        with torch.device('meta'):
            return MODELS.build(cfg)
    except RuntimeError:  # some read values while they are built
        return MODELS.build(cfg)
    except (ValueError, TypeError, KeyError, AssertionError) as reason:
        text = str(reason).strip('"\'')
        raise ConfigError(f'the {subject} cannot be built: {text}') from reason


def warn_of_missing_checksums(subject: str, checkpoint: str | Path) -> Iterable[Finding]:
    """Warn of a file in torch's format before 1.6.

    Args:
        subject: What is in it.
        checkpoint: As in a config.
    """
    text = missing_checksums(checkpoint)
    if text:
        yield warning(subject, text)


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


def _check_backbone_file(
    weights: Weights, backbone: nn.Module, *, with_file: bool
) -> Iterable[Finding]:
    ours = weights.loader == 'ClearGraspCheckpoint'
    name = type(backbone).__name__
    if with_file and getattr(backbone, 'frozen', False) and not ours:
        yield error(
            'backbone',
            f'{name} is frozen, but its init_cfg has no ClearGraspCheckpoint with a file: its '
            'features would be random. Set model.backbone.init_cfg=dict('
            "type='ClearGraspCheckpoint', checkpoint=PATH)",
        )
    elif not weights.path:
        yield ok('backbone', f'{name} without a checkpoint')
    elif with_file and ours:
        file = check_fit(open_backbone(weights.path, weights.source), backbone)
        yield ok(
            'backbone',
            f'{weights.path}: {file.family.name}, {len(file.tensors)} tensors fit {name}',
        )
        yield from warn_of_missing_checksums('backbone', weights.path)
    elif '://' in weights.path:
        yield error(
            'backbone', f'init_cfg.checkpoint={weights.path}: files are local; download it first'
        )
    else:
        yield ok('backbone', f'{name} from {weights.path}')


def _check_detector_file(weights: Weights, detector: nn.Module) -> Iterable[Finding]:
    file = open_detector(weights.path or '', weights.source)
    fit = fit_detector(file, detector, weights.classes)
    yield ok('detector', f'{file.path}: {describe_fit(file, fit, detector)}')
    yield from warn_of_missing_checksums('detector', weights.path or '')
