"""Defers upstream's imports of large packages until what is imported from them is used.

These modules are imported with MMDetection, and each imports another package for a function or
class that plate detectors seldom or never use; together they take a third of the start-up time.
Each row of :data:`DEFERRED` is unnecessary once its first module imports the second one where it
uses it, as torchvision's ``_register_onnx_ops`` does with ``torch.onnx``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

from .import_hooks import after_import, around_import


class Deferral(NamedTuple):
    """A ``from module import names`` at the top of an upstream module.

    Attributes:
        importer: Absolute name of the upstream module.
        module: Absolute name of the module that it imports.
        names: Functions and classes that it imports from it; all of them.
        registry: MMEngine's registry that the module registers the class in.
    """

    importer: str
    module: str
    names: tuple[str, ...]
    registry: str | None = None


_MATCHING = ('scipy.optimize', ('linear_sum_assignment',))

DEFERRED = (
    # line 7; torch.compile, with sympy and triton
    Deferral('torchvision.ops.roi_align', 'torch._dynamo.utils', ('is_compile_supported',)),
    # lines 11, 14 and 17; sharded tensors, with sympy
    Deferral(
        'torch.distributed.optim.named_optimizer',
        'torch.distributed.fsdp',
        ('FullyShardedDataParallel',),
    ),
    Deferral(
        'mmengine.model.wrappers',
        'mmengine.model.wrappers.fully_sharded_distributed',
        ('MMFullyShardedDataParallel',),
        registry='MODEL_WRAPPERS',
    ),
    Deferral(
        'mmengine._strategy', 'mmengine._strategy.fsdp', ('FSDPStrategy',), registry='STRATEGIES'
    ),
    # lines 7, 4 and 9; scipy's optimizers, solvers and Fourier transforms
    Deferral('mmdet.models.task_modules.assigners.hungarian_assigner', *_MATCHING),
    Deferral('mmdet.models.task_modules.assigners.topk_hungarian_assigner', *_MATCHING),
    Deferral('mmdet.models.task_modules.tracking.aflink', *_MATCHING),
    # lines 14 and 15
    Deferral('mmdet.evaluation.metrics.crowdhuman_metric', 'scipy.sparse', ('csr_matrix',)),
    Deferral(
        'mmdet.evaluation.metrics.crowdhuman_metric',
        'scipy.sparse.csgraph',
        ('maximum_bipartite_matching',),
    ),
    # line 10; matplotlib.pyplot
    Deferral('mmdet.utils', 'mmdet.utils.mot_error_visualize', ('imshow_mot_errors',)),
    # lines 10 and 17; scipy's splines, optimizers and trees
    Deferral('supervision.annotators.core', 'scipy.interpolate', ('splev', 'splprep')),
    Deferral('supervision.dataset.utils', 'scipy.spatial', ('cKDTree',)),
)


def defer_imports() -> None:
    """Defer the imports of :data:`DEFERRED`.

    Modules that are imported already, on either side, are left as they are.
    """
    for deferral in DEFERRED:
        if deferral.importer not in sys.modules:
            _defer(deferral)
    after_import('timm.layers.typing', _disable_compiler_at_first_call)


def _disable_compiler_at_first_call(module: ModuleType) -> None:
    """Let timm's decorator import torch.compile when a decorated method is called.

    ``torch.compiler.disable``, which ``timm/layers/typing.py`` names in line 34, imports it when a
    class is defined. PyTorch's own methods use the decorator that does it at the first call.
    """
    import torch

    if getattr(module, 'disable_compiler', None) is torch.compiler.disable:
        module.disable_compiler = torch._disable_dynamo  # type: ignore[attr-defined]


def _defer(deferral: Deferral) -> None:
    def execute_with_stand_in(execute: Callable[[ModuleType], None], importer: ModuleType) -> None:
        if deferral.module in sys.modules:
            execute(importer)
            return
        stand_in = _StandIn(deferral)
        sys.modules[deferral.module] = stand_in
        try:
            execute(importer)
        finally:
            stand_in.remove()
        deferred = {name: value for name, value in vars(importer).items() if value in stand_in}
        if deferred:
            if deferral.registry:
                _register(deferral, *deferred.values())
            _replace_once_imported(importer, deferred, deferral.module)

    around_import(deferral.importer, execute_with_stand_in)


def _register(deferral: Deferral, deferred: Deferred) -> None:
    """Register a deferred class until its module is imported and registers it itself."""
    registry = getattr(importlib.import_module('mmengine.registry'), str(deferral.registry))
    registry.register_module(name=deferred.__name__, module=deferred)

    def unregister_and_execute(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
        registry.module_dict.pop(deferred.__name__, None)
        execute(module)

    around_import(deferral.module, unregister_and_execute)


def _replace_once_imported(
    importer: ModuleType, deferred: dict[str, Deferred], module: str
) -> None:
    """Give the importer the objects themselves as soon as anything imports their module."""

    def replace(imported: ModuleType) -> None:
        for name, value in deferred.items():
            if vars(importer).get(name) is value:
                setattr(importer, name, getattr(imported, value.__name__))

    after_import(module, replace)


class Deferred:
    """Stands in for a function or class of a module and imports it when it is used.

    It can be called, pickled (as the object itself), derived from, and is the object itself for
    ``isinstance``, ``issubclass``, ``inspect.signature`` and its public attributes.

    Args:
        module: Absolute name of the module.
        name: Name of the function or class in it.

    Example:
        >>> Fraction = Deferred('fractions', 'Fraction')
        >>> Fraction('1/4'), isinstance(1, Fraction), Fraction.from_float(0.5)
        (Fraction(1, 4), False, Fraction(1, 2))
    """

    def __init__(self, module: str, name: str) -> None:
        self.__module__ = module
        self.__name__ = self.__qualname__ = name

    @property
    def __wrapped__(self) -> Any:
        return _import_object(self.__module__, self.__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Import the object and call it."""
        return self.__wrapped__(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):  # libraries look for optional ones
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __instancecheck__(self, instance: object) -> bool:
        # Without the module, there is no instance, and no subclass.
        return self.__module__ in sys.modules and isinstance(instance, self.__wrapped__)

    def __subclasscheck__(self, subclass: type) -> bool:
        return self.__module__ in sys.modules and issubclass(subclass, self.__wrapped__)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return (self.__wrapped__,)

    def __reduce__(self) -> tuple[Callable[[str, str], Any], tuple[str, str]]:
        return _import_object, (self.__module__, self.__name__)


def _import_object(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


class _StandIn(ModuleType):
    """Takes a module's place in ``sys.modules`` while its importer is executed.

    Everything but the deferred object is looked up in the module, which is imported for it: other
    modules may import it in the meantime.
    """

    def __init__(self, deferral: Deferral) -> None:
        super().__init__(deferral.module)
        self.__path__ = _SearchPath(self)  # type: ignore[assignment]
        self._deferred = [Deferred(deferral.module, name) for name in deferral.names]
        for value in self._deferred:
            setattr(self, value.__name__, value)

    def __contains__(self, value: object) -> bool:
        return any(value is each for each in self._deferred)

    def __getattr__(self, name: str) -> Any:
        if name == '__file__':  # inspect.getmodule looks for the one of every module
            raise AttributeError(name)
        return getattr(self.load(), name)

    def load(self) -> ModuleType:
        """Import the module itself."""
        self.remove()
        return importlib.import_module(self.__name__)

    def remove(self) -> None:
        """Remove the stand-in from ``sys.modules``, unless the module has replaced it."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]


class _SearchPath:
    """``__path__`` of a stand-in, which is read when a submodule of its module is imported.

    ``from module import name`` looks whether there is one, but does not read it.
    """

    def __init__(self, stand_in: _StandIn) -> None:
        self._stand_in = stand_in

    def __iter__(self) -> Iterator[str]:
        return iter(getattr(self._stand_in.load(), '__path__', ()))
