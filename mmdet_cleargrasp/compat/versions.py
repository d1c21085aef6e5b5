"""Checks that the installed packages work together; errors name the command that fixes them."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from pathlib import Path

from ..utils.errors import InstallationError

#: What ``pip install`` takes for each required package, by import name.
PACKAGES = {
    'torch': "'torch>=2.10' torchvision",
    'torchvision': 'torchvision',
    'mmengine': "'mmengine>=0.10.7'",
    'mmcv': 'mmcv-lite==2.1.0',
    'mmdet': "'mmdet>=3.3'",
}

#: Parts of ``ImportError`` messages about shared libraries, and what to do about them.
LIBRARIES = {
    ('libGL', 'libxcb', 'libX11', 'libgthread', 'libSM', 'libXext'): (
        'OpenCV was installed for desktops, and this machine has no X libraries: '
        'pip uninstall -y opencv-python && pip install --force-reinstall opencv-python-headless'
    ),
    ('mmcv/_ext', 'mmcv._ext', 'undefined symbol'): (
        'the compiled mmcv was built for another torch: '
        'pip uninstall -y mmcv mmcv-lite && pip install mmcv-lite==2.1.0'
    ),
}


def check_versions() -> None:
    """Refuse package versions that do not work together, without importing any of them.

    - torch before 2.10 reads checkpoints unsafely even with ``weights_only=True`` (CVE-2025-32434,
      CVE-2026-24747).
    - mmengine up to 0.10.7 finds ``mmdet::`` base configs through ``pkg_resources``, which
      setuptools 81 removed (https://github.com/open-mmlab/mmengine/pull/1676).
    - mmdet 3.3 refuses mmcv from 2.2 on (https://github.com/open-mmlab/mmdetection/issues/11763).

    The last two are checked in the source of the installed packages, so that maintained forks under
    the same import names, which have neither restriction, are accepted.

    Raises:
        InstallationError: A package is missing or does not work with the others. The message names
            what is installed, what is needed and the command that installs it.
    """
    for name, requirement in PACKAGES.items():
        if importlib.util.find_spec(name) is None:
            raise InstallationError(f'{name} is not installed: pip install {requirement}')
    torch = _version('torch')
    if torch and torch < (2, 10):
        raise InstallationError(
            f'torch {metadata.version("torch")} is installed, expected 2.10 or later: '
            "pip install 'torch>=2.10'"
        )
    if importlib.util.find_spec('pkg_resources') is None and 'import pkg_resources' in _source(
        'mmengine', 'utils/package_utils.py'
    ):
        raise InstallationError(
            "mmengine needs pkg_resources, which setuptools 81 removed: pip install 'setuptools<81'"
        )
    limit = re.search(r"mmcv_maximum_version = '(\d+)\.(\d+)", _source('mmdet', '__init__.py'))
    mmcv = _version('mmcv') or _version('mmcv-lite')
    if limit and mmcv and mmcv >= (int(limit[1]), int(limit[2])):
        raise InstallationError(
            f'mmcv {".".join(map(str, mmcv))} is installed, and the installed mmdet refuses '
            f"{limit[1]}.{limit[2]} and later: pip install 'mmcv-lite==2.1.0' (or a compiled mmcv "
            '2.1.0)'
        )


def explain_import_error(error: ImportError) -> str | None:
    """Say what to install after an import failed because of a shared library.

    Args:
        error: Error that the import raised.

    Returns:
        One sentence; ``None`` for an error of another kind.

    Example:
        >>> explain_import_error(ImportError('libGL.so.1: cannot open shared object file'))
        'OpenCV was installed for desktops, and this machine has no X libraries: pip uninstall ...'
    """
    for parts, advice in LIBRARIES.items():
        if any(part in str(error) for part in parts):
            return f'{advice} ({error})'
    return None


def _version(distribution: str) -> tuple[int, int] | None:
    """Return major and minor version of a distribution; ``None`` if it is not installed."""
    try:
        major, minor = metadata.version(distribution).split('.')[:2]
    except metadata.PackageNotFoundError:
        return None
    return int(major), int(minor)


def _source(package: str, file: str) -> str:
    """Return the source of a file in an installed package; empty if there is no such file."""
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    return path.read_text(encoding='utf-8') if path and path.is_file() else ''
