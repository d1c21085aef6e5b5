"""Replaces ``pkgutil.find_loader``, which Python 3.14 removed, in mmengine and mmcv.

They look for compiled operators with it, and no runner can be built without it
(https://github.com/python/cpython/issues/120581). Unnecessary once both call ``importlib``:
onedl-mmengine 0.10.12 does; mmengine, mmcv and onedl-mmcv 2.3.6 do not yet.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from importlib.abc import Loader
from types import ModuleType, SimpleNamespace

from .import_hooks import after_import

#: Modules that call ``pkgutil.find_loader``.
CALLERS = ('mmengine.utils.dl_utils.misc', 'mmcv.utils.ext_loader')


def provide_find_loader() -> None:
    """Provide ``find_loader`` to the modules that call it, from Python 3.14 on."""
    if not hasattr(pkgutil, 'find_loader'):
        for name in CALLERS:
            after_import(name, _provide)


def _provide(module: ModuleType) -> None:
    if hasattr(module, 'pkgutil'):
        module.pkgutil = SimpleNamespace(find_loader=_find_loader)  # type: ignore[attr-defined]


def _find_loader(name: str) -> Loader | None:
    spec = importlib.util.find_spec(name)
    return spec.loader if spec else None
