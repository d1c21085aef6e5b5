"""A detector's checkpoint, from which a run starts or which it tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...checkpoints import check_trained
from ...utils.findings import Finding, ok
from ..run_plan import RunPlan
from .model import build, warn_of_missing_checksums


def check_checkpoint(plan: RunPlan, path: str | Path) -> Iterable[Finding]:
    """Check that a detector's checkpoint has all of the model's weights and its classes.

    Args:
        plan: Of the run.
        path: The file.

    Raises:
        CheckpointError: It does not fit.
    """
    data = next((plan.data[loop] for loop in plan.loops if loop in plan.data), None)
    model = build('model', plan.cfg.model)
    check_trained(path, model, tuple(data.classes) if data else ())
    yield ok('checkpoint', f'{path}: {len(model.state_dict())} tensors')
    yield from warn_of_missing_checksums('checkpoint', path)
