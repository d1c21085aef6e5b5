"""Run code when another module is imported later, without importing it now."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

#: Called with the loader's ``exec_module`` and the module.
Around = Callable[[Callable[[ModuleType], None], ModuleType], None]


def after_import(name: str, action: Callable[[ModuleType], None]) -> None:
    """Call a function with a module once the module has been imported.

    Args:
        name: Absolute name of the module. If it is imported already, the function is called at
            once.
        action: Function that is called with the module.

    Example:
        >>> import json
        >>> after_import('json', lambda module: print('imported', module.__name__))
        imported json
    """

    def execute_and_act(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
        execute(module)
        action(module)

    if name in sys.modules:
        action(sys.modules[name])
    else:
        around_import(name, execute_and_act)


def around_import(name: str, around: Around) -> None:
    """Wrap the execution of a module that is imported later.

    Args:
        name: Absolute name of the module.
        around: Function that is called in place of the loader's ``exec_module``; its arguments are
            that ``exec_module`` and the module.
    """
    around_imports(lambda imported: imported == name, around)


def around_imports(wanted: Callable[[str], bool], around: Around) -> None:
    """Wrap the execution of several modules that are imported later.

    Args:
        wanted: Called with the absolute name of each module that is imported; returns whether its
            execution is wrapped.
        around: As for :func:`around_import`.
    """
    sys.meta_path.insert(0, _AroundImport(wanted, around))


class _AroundImport(MetaPathFinder):
    """Finder of some modules, which wraps the ``exec_module`` that the other finders give."""

    def __init__(self, wanted: Callable[[str], bool], around: Around) -> None:
        self.wanted = wanted
        self.around = around
        self._searching = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the module with a wrapped loader; ``None`` for other modules."""
        if self._searching or not self.wanted(fullname):
            return None
        self._searching = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._searching = False
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_within(module: ModuleType) -> None:
            self.around(execute, module)

        spec.loader.exec_module = execute_within  # type: ignore[method-assign]
        return spec
