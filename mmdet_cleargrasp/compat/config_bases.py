"""Reads base configs of other packages without searching the metafiles of all their models.

For each ``mmdet::_base_/...`` in a config, MMEngine parses the hundred YAML files in which
MMDetection describes its models, does not find the base config there, as none has an entry, and
takes the file of this name. It also asks ``pkg_resources`` whether MMDetection is installed, which
scans all installed packages. Unnecessary once ``Config._get_cfg_path`` looks for base configs
directly (mmengine/config/config.py, line 1271).
"""

from __future__ import annotations

import importlib.util
from types import ModuleType

from .import_hooks import after_import


def read_bases_directly() -> None:
    """Let MMEngine find base configs and packages by their names."""
    after_import('mmengine.config.config', _patch)


def _patch(module: ModuleType) -> None:
    find_by_metafile, is_distributed = module._get_external_cfg_path, module.is_installed

    def find(package_path: str, cfg_file: str) -> str:
        if cfg_file.startswith('_base_/'):
            # What the search ends with; the caller takes the file of this name.
            raise ValueError(f'{cfg_file} is a base config, which no metafile describes')
        return find_by_metafile(package_path, cfg_file)

    def is_installed(package: str) -> bool:
        spec = importlib.util.find_spec(package)
        return (spec is not None and spec.origin is not None) or is_distributed(package)

    module._get_external_cfg_path = find  # type: ignore[attr-defined]
    module.is_installed = is_installed  # type: ignore[attr-defined]
