"""How long a training step takes, for everything that estimates the time of a run."""

from __future__ import annotations

from mmengine.runner import Runner

#: Steps at the start of a run that are too slow to count, and how many after them are measured.
SKIPPED_STEPS, MEASURED_STEPS = 2, 10


def step_seconds(runner: Runner, done: int) -> float | None:
    """The mean time of the latest training steps, reading images included.

    mmengine's ``IterTimerHook``, which every run has, measures it.

    Args:
        runner: That trains.
        done: Steps since the run started or resumed.

    Returns:
        ``None`` before a step counts.
    """
    measured = min(done - SKIPPED_STEPS, MEASURED_STEPS)
    if measured < 1:
        return None
    return float(runner.message_hub.get_scalar('train/time').mean(measured))
