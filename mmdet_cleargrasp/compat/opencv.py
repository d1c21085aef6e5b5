"""Explains a failed ``import cv2``.

mmcv requires ``opencv-python``, which needs X libraries that most servers and containers lack. Its
import fails with ``ImportError: libxcb.so.1``, which does not say what to do. Unnecessary once mmcv
accepts ``opencv-python-headless`` too.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from ..utils.errors import InstallationError
from .import_hooks import around_import
from .versions import explain_import_error


def explain_failed_import() -> None:
    """Let ``import cv2`` raise an error that says what to install if a library is missing.

    The error is an :class:`.InstallationError`, which is an ``ImportError``.
    """
    around_import('cv2', _import_or_explain)


def _import_or_explain(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    try:
        execute(module)
    except ImportError as error:
        advice = explain_import_error(error)
        if advice is None:
            raise
        raise InstallationError(advice) from error
