"""Resuming a run so that it ends as if it had never been interrupted.

An epoch's random numbers follow from the seed, the process and the epoch's number
(:class:`RandomStateHook`), so that checkpoints at the end of an epoch need nothing more. A run that
SIGTERM ends within an epoch saves its position and its random generators too
(:class:`InterruptHook`); :class:`ResumableTrainLoop` resumes there.
"""

from .checkpoints import (
    best_checkpoint,
    last_saved_checkpoint,
    latest_checkpoint,
    resume,
    start_from,
)
from .interruption import InterruptHook
from .loop import ResumableTrainLoop
from .missed_validation import MissedValidationHook
from .random_state import RandomStateHook
from .schedule import ScheduleHook

__all__ = [
    'InterruptHook',
    'MissedValidationHook',
    'RandomStateHook',
    'ResumableTrainLoop',
    'ScheduleHook',
    'best_checkpoint',
    'latest_checkpoint',
    'last_saved_checkpoint',
    'resume',
    'start_from',
]
