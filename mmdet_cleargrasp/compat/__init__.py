"""Workarounds for upstream, one module each; each says what will make it unnecessary.

- :mod:`.versions`: versions that cannot work together are refused in one sentence.
- :mod:`.mmcv_extension`, :mod:`.mmcv_operators`, :mod:`.roi_align`: mmcv's compiled operators.
- :mod:`.opencv`: OpenCV that cannot be imported says what to install.
- :mod:`.module_search`: what Python 3.14 removed.
- :mod:`.registries`: a plugin's types are imported when a registry first looks one up.
- :mod:`.checkpoint_reading`, :mod:`.file_writing`: files of a run, read safely and written whole.
- :mod:`.processes`, :mod:`.cpu_memory`: runs without a GPU.

The first five are for every use of the package and closed by :func:`apply`. The others hold within
our own runs only.
"""

from .mmcv_extension import provide_mmcv_extension
from .module_search import provide_find_loader
from .opencv import explain_failed_import
from .registries import import_at_first_lookup
from .versions import check_versions

__all__ = ['apply']


def apply() -> None:
    """Close the gaps that concern every use; torch, mmcv and mmdet are not imported for it."""
    check_versions()
    provide_find_loader()
    provide_mmcv_extension()
    explain_failed_import()
    import_at_first_lookup('mmdet_cleargrasp.registered_types')
