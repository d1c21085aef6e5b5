"""Length of a training, its learning rate schedule, and the feature cache."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from ...utils.atomic_files import refuse_unwritable
from ...utils.errors import ConfigError
from ...utils.findings import Finding, error, ok, warning
from ..run_plan import RunPlan

#: Steps below which a training has hardly begun, and why, by the part that is pretrained.
FEW_STEPS = {
    'backbone': (500, 'randomly initialized heads need several hundred'),
    'detector': (100, 'fine-tuning needs about a hundred'),
}
#: Transforms after which an image is the same in every epoch, or one of a few variants.
REPEATING = (
    'LoadPhotograph', 'LoadAnnotations', 'FilterAnnotations', 'Resize', 'RandomChoiceResize',
    'RandomFlip', 'Pad', 'PackDetInputs',
)  # fmt: skip


def check_schedule(plan: RunPlan) -> Iterable[Finding]:
    """Check that warm-up and decay fit the length of the training."""
    batch_size = plan.data['train'].loader.get('batch_size')
    if not isinstance(batch_size, int) or batch_size < 1:
        yield error(
            'schedule', f'train_dataloader.batch_size is {batch_size!r}, expected 1 or more'
        )
        return
    if not isinstance(plan.cfg.get('train_cfg'), dict):
        yield error('schedule', 'the config has no train_cfg=dict(max_epochs=...)')
        return
    for name in ('max_epochs', 'val_interval'):
        value = plan.cfg.train_cfg.get(name, 1)
        if not isinstance(value, int) or value < 1:
            yield error('schedule', f'train_cfg.{name} is {value!r}, expected 1 or more')
            return
    epochs, steps = plan.max_epochs, plan.steps_per_epoch
    if not epochs or not steps:
        return
    scheduled = _scheduled_epochs(plan, epochs, steps)
    if not 0.9 * epochs <= scheduled <= max(epochs, 2):
        yield warning(
            'schedule',
            f'the learning rate is scheduled for {scheduled:.3g} epochs, the run lasts {epochs}. '
            'Set the length with --epochs, which sets both.',
        )
    text = f'{epochs} epochs of {steps} steps'
    few, reason = FEW_STEPS[plan.weights.part]
    if epochs * steps < few:
        yield warning(
            'schedule',
            f'{text} are {epochs * steps} steps; {reason}: --epochs {-(-few // steps)} or more',
        )
    else:
        yield ok('schedule', text)


def check_feature_cache(plan: RunPlan) -> Iterable[Finding]:
    """Check that a feature cache, if configured, can be used."""
    hooks = plan.cfg.get('custom_hooks') or []
    caches = [hook for hook in hooks if hook.get('type') == 'FeatureCacheHook']
    if not caches:
        return
    changing = [name for name in plan.data['train'].transforms if name not in REPEATING]
    if not plan.cfg.model.backbone.get('frozen'):
        yield error('feature cache', 'FeatureCacheHook needs model.backbone.frozen=True')
    elif changing:
        yield error(
            'feature cache',
            f'{", ".join(changing)} may change an image differently every time, so that the '
            'cache is never used: remove it from the training pipeline, or remove '
            'FeatureCacheHook',
        )
    else:
        folder = caches[0].get('folder', 'work_dirs/feature_cache')
        try:
            refuse_unwritable(Path(folder) / 'maps', 'its folder')
            yield ok('feature cache', f'in {folder}')
        except ConfigError as reason:
            yield error('feature cache', str(reason))


def _scheduled_epochs(plan: RunPlan, epochs: int, steps: int) -> float:
    """The epoch in which the last scheduler ends; ``epochs`` for one without an end."""
    ends = []
    for scheduler in plan.cfg.get('param_scheduler') or []:
        end = scheduler.get('end', math.inf) / (1 if scheduler.get('by_epoch', True) else steps)
        ends.append(epochs if end == math.inf else end)
    return max(ends, default=epochs)
