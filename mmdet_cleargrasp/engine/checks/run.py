"""All checks of a detector's training or test."""

from __future__ import annotations

from mmengine.registry import init_default_scope

from ...utils.findings import Finding
from ..run_plan import RunPlan
from .data import check_data
from .environment import check_device, check_versions, check_work_dir
from .model import check_model
from .report import collect
from .schedule import check_feature_cache, check_schedule


def check_run(plan: RunPlan) -> list[Finding]:
    """Check versions, device, work dir, data, classes, weights, strides and schedule of a run.

    Args:
        plan: From :func:`.prepare`.

    Returns:
        What was found; only the model was built, without memory for its weights.
    """
    init_default_scope(plan.cfg.get('default_scope', 'mmdet'))
    checks = [check_versions(), check_device(plan), check_work_dir(plan), check_model(plan)]
    if 'train' in plan.loops:
        checks += [check_feature_cache(plan), check_schedule(plan)]
    checks += [check_data(plan, loop) for loop in plan.loops]
    return [finding for check in checks for finding in collect(check)]
