"""Types of a plugin, imported when a registry first looks one up.

MMEngine's registries import the modules of their own package at the first look-up, and offer
plugins nothing of the kind: ``custom_imports`` help only where a config is read. Importing all
types at once would take seconds, and fail in the middle of MMDetection's own import. Unnecessary
once MMEngine takes locations from outside
(https://github.com/open-mmlab/mmengine/pull/643 brought them
for its own family).
"""

from __future__ import annotations

import importlib
from types import ModuleType

from .import_hooks import after_import

#: Modules of registries, and which of theirs hold types of ours; empty for all. MMEngine's have
#: those that it looks up without MMDetection's scope.
REGISTRIES: dict[str, tuple[str, ...]] = {
    'mmengine.registry': ('FUNCTIONS', 'OPTIM_WRAPPERS', 'WEIGHT_INITIALIZERS'),
    'mmdet.registry': (),
}


def import_at_first_lookup(location: str) -> None:
    """Import a module at the first look-up in the registries of MMEngine and MMDetection.

    Args:
        location: The module, whose import registers types. It is imported at once where a registry
            has looked something up already.
    """
    for name, members in REGISTRIES.items():

        def attach(module: ModuleType, members: tuple[str, ...] = members) -> None:
            _add_location(module, members, location)

        after_import(name, attach)


def _add_location(module: ModuleType, members: tuple[str, ...], location: str) -> None:
    from mmengine.registry import Registry

    registries = [
        value
        for name, value in vars(module).items()
        if isinstance(value, Registry)
        and (name in members or not members)
        and value.scope == module.__name__.split('.')[0]
    ]
    if any(registry._imported for registry in registries):
        importlib.import_module(location)
        return
    for registry in registries:
        if location not in registry._locations:
            registry._locations.append(location)
