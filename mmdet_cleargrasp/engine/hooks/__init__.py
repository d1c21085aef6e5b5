"""Hooks that runs call."""

from .curves_hook import CurvesHook

__all__ = ['CurvesHook']
