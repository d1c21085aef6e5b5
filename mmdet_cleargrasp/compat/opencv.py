"""mmcv asks for ``opencv-python``, which needs X libraries that servers and containers lack.

Its import ends in ``ImportError: libxcb.so.1``, which doesn't say what to do. Unnecessary once mmcv
asks for either package.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from ..utils.errors import InstallationError
from .import_hooks import around_import
from .versions import explain_import_error


def explain_failed_import() -> None:
    """Let ``import cv2`` say what to install where it fails for want of a library."""
    around_import('cv2', _import_or_explain)


def _import_or_explain(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    try:
        execute(module)
    except ImportError as error:
        advice = explain_import_error(error)
        if advice is None:
            raise
        raise InstallationError(advice) from error
