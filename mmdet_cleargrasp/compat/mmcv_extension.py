"""``mmcv._ext`` where mmcv was installed without its compiled operators.

mmcv's wheels with operators exist for few torch versions and building them takes a compiler
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

    The finder is the last that Python asks, so that a compiled mmcv is left alone.
    """
    if not any(isinstance(finder, ExtensionFinder) for finder in sys.meta_path):
        sys.meta_path.append(ExtensionFinder())


class ExtensionFinder(MetaPathFinder, Loader):
    """Finds and loads the module; torch is imported no earlier than then."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's specification; ``None`` for every other."""
        return ModuleSpec(NAME, self) if fullname == NAME else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module that answers for missing operators."""
        return Extension(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Fill it with the operators."""
        from . import mmcv_operators

        for name in mmcv_operators.__all__:
            setattr(module, name, getattr(mmcv_operators, name))


class Extension(ModuleType):
    """A module in which every operator that is not provided exists, and says so when called."""

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
