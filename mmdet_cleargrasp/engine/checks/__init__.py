"""Fast checks before a run starts."""

from .data import check_data
from .model import check_model
from .report import collect, describe, introduce, refuse_errors
from .run import check_run
from .schedule import check_schedule

__all__ = [
    'check_data',
    'check_model',
    'check_run',
    'check_schedule',
    'collect',
    'describe',
    'introduce',
    'refuse_errors',
]
