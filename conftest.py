"""Doctests of single modules."""

import importlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def pytest_collect_file(file_path: Path) -> None:
    """Import the package of a module first.

    The package may import the module itself and with it register its types. pytest would import the
    package and then, in spite of that, the module a second time.
    """
    package = file_path.parent
    if file_path.suffix == '.py' and (ROOT / 'mmdet_cleargrasp') in (package, *package.parents):
        importlib.import_module('.'.join(package.relative_to(ROOT).parts))
