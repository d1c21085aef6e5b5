"""Pauses Python's garbage collection while modules are imported.

Importing torch and MMDetection creates more than a million objects, none of which is garbage.
Python's collector looks at them again and again meanwhile, and at all of them once more when the
process ends: up to a third of the start-up time. Unnecessary once Python collects less often while
modules are imported.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from types import ModuleType

from .import_hooks import after_import, around_imports

#: Packages whose imports take long: those that this package imports, and itself.
PACKAGES = frozenset(
    {'mmcv', 'mmdet', 'mmdet_cleargrasp', 'mmengine', 'supervision', 'timm', 'torch', 'torchvision'}
)


def pause_during_imports() -> None:
    """Pause garbage collection during each import of :data:`PACKAGES` and their modules."""

    def wanted(name: str) -> bool:
        return gc.isenabled() and name.partition('.')[0] in PACKAGES

    around_imports(wanted, _import_paused)


def freeze_until_import(name: str) -> None:
    """Exempt from garbage collection what exists after each import, until one module is imported.

    For processes that belong to a command: objects that exist before its work starts live until it
    ends. Without it, the collector would look at them once more during the work and when the
    process ends. Forked data workers also share with their parent what it does not write to.

    Args:
        name: Absolute name of the last module that the command imports before its work.
    """
    _Freezing.is_on = True
    after_import(name, _Freezing.end)


class _Freezing:
    """Whether objects that exist after an import are exempt from garbage collection."""

    is_on = False

    @classmethod
    def end(cls, _module: ModuleType) -> None:
        cls.is_on = False


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Pause garbage collection during a ``with`` block, and count what it created as old objects.

    Does nothing if collection is off already. Unless objects are frozen, the ones that exist at the
    end are moved to the oldest generation, which is collected least often.

    Example:
        >>> with paused():
        ...     gc.isenabled()
        False
        >>> gc.isenabled()
        True
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if _Freezing.is_on:
            gc.freeze()
        elif not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        gc.enable()


def _import_paused(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    with paused():
        execute(module)
