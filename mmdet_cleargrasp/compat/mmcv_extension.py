"""Provides ``mmcv._ext``, the module of mmcv's compiled operators, where mmcv has none.

mmcv's wheels with operators exist for few torch versions, and building them needs a compiler
(https://github.com/open-mmlab/mmcv/issues/2059). Unnecessary once mmcv falls back on torchvision's
operators itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

NAME = 'mmcv._ext'


def provide_mmcv_extension() -> None:
    """Provide :mod:`.mmcv_operators` as ``mmcv._ext`` if mmcv has no compiled operators.

    The finder comes last in ``sys.meta_path``, so a compiled ``mmcv._ext`` takes precedence.
    """
    if not any(isinstance(finder, ExtensionFinder) for finder in sys.meta_path):
        sys.meta_path.append(ExtensionFinder())


class ExtensionFinder(MetaPathFinder, Loader):
    """Finder and loader of ``mmcv._ext``; imports torch only when the module is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of ``mmcv._ext``; ``None`` for every other module."""
        return ModuleSpec(NAME, self) if fullname == NAME else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Create an :class:`Extension` without operators."""
        return Extension(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Add the provided operators to the module."""
        from . import mmcv_operators

        for name in mmcv_operators.__all__:
            setattr(module, name, getattr(mmcv_operators, name))


class Extension(ModuleType):
    """A module in which an operator that is not provided raises an error when it is called.

    It must not raise at attribute access: mmcv looks up all of its operators on import.
    """

    def __getattr__(self, name: str) -> object:
        if name.startswith('__'):
            raise AttributeError(name)

        def missing(*_args: object, **_kwargs: object) -> None:
            raise NotImplementedError(
                f'mmcv operator {name!r} is not provided by mmdet_cleargrasp, which provides the '
                'operators that Faster R-CNN and RetinaNet use. Install a compiled mmcv 2.1.0 '
                '(pip uninstall -y mmcv-lite && pip install mmcv==2.1.0, which needs a compiler) '
                'to use it.'
            )

        return missing
