"""What Python 3.14 removed, on every Python."""

import importlib
import pkgutil

import pytest

from mmdet_cleargrasp.compat.module_search import CALLERS, provide_find_loader


@pytest.fixture(params=CALLERS)
def caller(request, monkeypatch):
    """A module of mmengine or mmcv in a Python without the function."""
    monkeypatch.delattr(pkgutil, 'find_loader', raising=False)
    module = importlib.import_module(request.param)
    if not hasattr(module, 'pkgutil'):
        pytest.skip('a maintained fork, which calls importlib')
    monkeypatch.setattr(module, 'pkgutil', pkgutil)
    return module


def test_compiled_operators_are_looked_up(caller):
    provide_find_loader()
    assert caller.pkgutil.find_loader('mmcv._ext') is not None  # torchvision's
    assert caller.pkgutil.find_loader('no_such_module') is None
