"""Imports a plugin's registered types when a registry is first used.

MMEngine's registries import the modules of their own package at the first look-up, but not those of
plugins: ``custom_imports`` only works where a config is read. Importing all types with the plugin
would take seconds, and fail during MMDetection's own import. Unnecessary once MMEngine accepts
locations from other packages (https://github.com/open-mmlab/mmengine/pull/643 added them for its
own packages).
"""

from __future__ import annotations

import importlib
from types import ModuleType

from .import_hooks import after_import

#: Modules with registries, and the registries in them that get this package's types; empty for
#: all. Those of MMEngine are the ones that are looked up without MMDetection's scope.
REGISTRIES: dict[str, tuple[str, ...]] = {
    'mmengine.registry': ('FUNCTIONS', 'OPTIM_WRAPPERS', 'WEIGHT_INITIALIZERS'),
    'mmdet.registry': (),
}


def import_at_first_lookup(location: str) -> None:
    """Import a module at the first look-up in the registries of MMEngine and MMDetection.

    If a registry has been used already, the module is imported at once.

    Args:
        location: Absolute name of a module that registers types when it is imported.
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
