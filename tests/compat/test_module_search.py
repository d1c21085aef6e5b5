"""The replacement of ``pkgutil.find_loader``, which Python 3.14 removed, on any Python."""

import importlib
import pkgutil

import pytest

from mmdet_cleargrasp.compat.module_search import CALLERS, provide_find_loader


@pytest.fixture(params=CALLERS)
def caller(request, monkeypatch):
    """A module of mmengine or mmcv that calls the function, in a Python without it."""
    monkeypatch.delattr(pkgutil, 'find_loader', raising=False)
    module = importlib.import_module(request.param)
    if not hasattr(module, 'pkgutil'):
        pytest.skip('a maintained fork, which calls importlib')
    monkeypatch.setattr(module, 'pkgutil', pkgutil)
    return module


def test_find_loader_finds_modules(caller):
    provide_find_loader()
    assert caller.pkgutil.find_loader('mmcv._ext') is not None  # of this package
    assert caller.pkgutil.find_loader('no_such_module') is None
