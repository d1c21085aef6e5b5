"""Hooks that runs call."""

from .curves_hook import CurvesHook
from .schedule_hook import ScheduleHook

__all__ = ['CurvesHook', 'ScheduleHook']
