"""Workarounds for upstream packages, one module each.

Each module's docstring names the upstream change that will make it unnecessary.

Applied by :func:`apply`, when the package is imported:

- :mod:`.garbage_collection`: pauses it while modules are imported.
- :mod:`.deferred_imports`: defers upstream's imports of large packages.
- :mod:`.versions`: refuses package versions that do not work together.
- :mod:`.module_search`: replaces ``pkgutil.find_loader``, which Python 3.14 removed.
- :mod:`.mmcv_extension`: provides mmcv's compiled operators (:mod:`.mmcv_operators`,
  :mod:`.roi_align`).
- :mod:`.opencv`: explains a failed ``import cv2``.
- :mod:`.config_bases`: reads MMDetection's base configs directly.
- :mod:`.registries`: imports this package's types when a registry is first used.

Applied later, by the code that needs them:

- :mod:`.inferencer`: lets ``DetInferencer`` load images with ``LoadPhotograph``.
- :mod:`.checkpoint_reading`, :mod:`.file_writing`: read checkpoints safely and write files
  atomically during a run.
- :mod:`.processes`, :mod:`.cpu_memory`: distributed training and memory without a GPU.

:mod:`.import_hooks` is what the first group is built on.
"""

from .config_bases import read_bases_directly
from .deferred_imports import defer_imports
from .garbage_collection import pause_during_imports
from .mmcv_extension import provide_mmcv_extension
from .module_search import provide_find_loader
from .opencv import explain_failed_import
from .registries import import_at_first_lookup
from .versions import check_versions

__all__ = ['apply']


def apply() -> None:
    """Apply the workarounds that every use of the package needs.

    Imports neither torch nor mmcv nor mmdet.

    Raises:
        InstallationError: See :func:`.check_versions`.
    """
    pause_during_imports()
    defer_imports()
    check_versions()
    provide_find_loader()
    provide_mmcv_extension()
    explain_failed_import()
    read_bases_directly()
    import_at_first_lookup('mmdet_cleargrasp.registered_types')
