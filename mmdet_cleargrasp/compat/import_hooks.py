"""Run code when another module is imported, without importing it now."""

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
    """Call a function with a module as soon as it has been imported; at once if it has been.

    Args:
        name: Of the module, absolute.
        action: Takes the module.
    """

    def execute_and_act(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
        execute(module)
        action(module)

    if name in sys.modules:
        action(sys.modules[name])
    else:
        around_import(name, execute_and_act)


def around_import(name: str, around: Around) -> None:
    """Let a function execute a module when it is imported.

    Args:
        name: Of the module, absolute.
        around: Is called in place of the loader's ``exec_module``, which is its first argument.
    """
    sys.meta_path.insert(0, _AroundImport(name, around))


class _AroundImport(MetaPathFinder):
    """Finds one module as the other finders do, and replaces how it is executed."""

    def __init__(self, name: str, around: Around) -> None:
        self.name = name
        self.around = around
        self._searching = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification that the other finders give, with the function in its loader."""
        if fullname != self.name or self._searching:
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
