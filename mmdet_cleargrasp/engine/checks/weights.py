"""The file that a model's weights come from."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ...checkpoints import (
    check_fit,
    check_trained,
    describe_fit,
    fit_detector,
    open_backbone,
    open_detector,
)
from ...checkpoints.checksums import checksum_warning
from ...utils.findings import Finding, error, ok, warning
from ..run_plan import RunPlan, Weights
from .building import build

#: Types of ``init_cfg`` that read files with the plugin's own reader.
OWN_LOADERS = ('ClearGraspCheckpoint', 'DetectorCheckpoint')


def check_weights(plan: RunPlan, backbone: nn.Module) -> Iterable[Finding]:
    """Check that the file that a run reads has all the weights that it needs.

    This is the checkpoint that the run starts from or tests; without one, the file that
    ``init_cfg`` names.

    Args:
        plan: Of the run.
        backbone: As the config builds it.

    Raises:
        CheckpointError: The file does not fit.
    """
    weights, checkpoint = plan.weights, plan.checkpoint
    if weights.part == 'backbone':
        yield _check_backbone_file(weights, backbone, read=checkpoint is None)
    elif checkpoint is None:
        yield _check_detector_file(weights, build('model', plan.cfg.model))
    if checkpoint is not None:
        yield _check_checkpoint(plan, checkpoint)
    path = checkpoint or (weights.path if weights.loader in OWN_LOADERS else None)
    text = checksum_warning(path) if path else None
    if text:
        yield warning('checkpoint' if checkpoint else weights.part, text)


def _check_backbone_file(weights: Weights, backbone: nn.Module, *, read: bool) -> Finding:
    ours = weights.loader == 'ClearGraspCheckpoint'
    name = type(backbone).__name__
    if read and getattr(backbone, 'frozen', False) and not ours:
        return error(
            'backbone',
            f'{name} is frozen, but its init_cfg has no ClearGraspCheckpoint with a file: its '
            'features would be random. Set model.backbone.init_cfg=dict('
            "type='ClearGraspCheckpoint', checkpoint=PATH)",
        )
    if not weights.path:
        return ok('backbone', f'{name} without a checkpoint')
    if read and ours:
        file = check_fit(open_backbone(weights.path, weights.source), backbone)
        fits = f'{file.family.name}, {len(file.tensors)} tensors fit {name}'
        return ok('backbone', f'{weights.path}: {fits}')
    if '://' in weights.path:
        text = f'init_cfg.checkpoint={weights.path}: files are local; download it first'
        return error('backbone', text)
    return ok('backbone', f'{name} from {weights.path}')


def _check_detector_file(weights: Weights, detector: nn.Module) -> Finding:
    file = open_detector(weights.path or '', weights.source)
    fit = fit_detector(file, detector, weights.classes)
    return ok('detector', f'{file.path}: {describe_fit(file, fit, detector)}')


def _check_checkpoint(plan: RunPlan, path: str) -> Finding:
    """Compare a detector's checkpoint with the model and the classes of the data."""
    data = next((plan.data[loop] for loop in plan.loops if loop in plan.data), None)
    model = build('model', plan.cfg.model)
    check_trained(path, model, tuple(data.classes) if data else ())
    return ok('checkpoint', f'{path}: {len(model.state_dict())} tensors')
