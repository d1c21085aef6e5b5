import importlib.util
from importlib import metadata

import pytest

from mmdet_cleargrasp.compat import versions
from mmdet_cleargrasp.utils.errors import InstallationError

INSTALLED = {'torch': '2.14.1', 'mmengine': '0.10.7', 'mmcv-lite': '2.1.0', 'mmdet': '3.3.0'}
#: Lines in the source of mmengine and mmdet that state a requirement.
SOURCES = {'mmengine': 'import pkg_resources', 'mmdet': "mmcv_maximum_version = '2.2.0'"}
FORKS = {'mmengine': 'from importlib import metadata', 'mmdet': ''}


@pytest.fixture
def install(monkeypatch):
    """Replace the installed versions and sources; version ``None`` removes a distribution."""

    def pretend(changed, missing_modules=(), sources=SOURCES):
        installed = {**INSTALLED, **changed}

        def version(name):
            if installed.get(name) is None:
                raise metadata.PackageNotFoundError(name)
            return installed[name]

        found = importlib.util.find_spec
        monkeypatch.setattr(metadata, 'version', version)
        monkeypatch.setattr(
            importlib.util,
            'find_spec',
            lambda name: None if name in missing_modules else found('re'),
        )
        monkeypatch.setattr(versions, '_source', lambda package, _file: sources[package])

    return pretend


@pytest.mark.parametrize(
    ('changed', 'missing', 'message'),
    [
        ({'torch': '1.13.1'}, (), "torch 1.13.1 .* pip install 'torch>=2.10'"),
        ({'torch': '2.9.1+cu128'}, (), "torch 2.9.1.* pip install 'torch>=2.10'"),
        ({}, ('torch',), "torch is not installed: pip install 'torch>=2.10' torchvision"),
        ({}, ('mmdet',), "mmdet is not installed: pip install 'mmdet>=3.3'"),
        ({}, ('pkg_resources',), "pip install 'setuptools<81'"),
        ({'mmcv-lite': None, 'mmcv': '2.2.0'}, (), 'mmcv 2.2 is installed.*mmcv-lite==2.1.0'),
    ],
)
def test_incompatible_versions_are_refused(install, changed, missing, message):
    install(changed, missing)
    with pytest.raises(InstallationError, match=message):
        versions.check_versions()


@pytest.mark.parametrize(
    ('changed', 'missing', 'sources'),
    [
        ({}, (), SOURCES),
        ({'torch': '2.10.0+cpu'}, (), SOURCES),
        ({'mmcv-lite': None, 'mmcv': '2.1.0'}, (), SOURCES),
        # Maintained forks: other distributions under the same import names.
        ({'mmengine': None, 'mmcv-lite': None, 'mmdet': None}, ('pkg_resources',), FORKS),
        # Releases without these requirements are accepted, whatever their version.
        ({'mmcv-lite': None, 'mmcv': '2.3.0'}, ('pkg_resources',), FORKS),
    ],
)
def test_compatible_versions_are_accepted(install, changed, missing, sources):
    install(changed, missing, sources)
    versions.check_versions()


def test_source_of_installed_packages_is_found():
    mmengine = versions._source('mmengine', 'utils/package_utils.py')
    assert 'def get_installed_path' in mmengine
    assert '__version__' in versions._source('mmdet', '__init__.py')
    assert versions._source('mmdet', 'absent.py') == ''


@pytest.mark.parametrize(
    ('error', 'advice'),
    [
        ('libGL.so.1: cannot open shared object file', 'pip install --force-reinstall opencv-python-headless'),
        ('libxcb.so.1: cannot open shared object file', 'pip uninstall -y opencv-python'),
        ('/site-packages/mmcv/_ext.so: undefined symbol: _ZN3c10', 'pip install mmcv-lite==2.1.0'),
    ],
)  # fmt: skip
def test_import_errors_about_shared_libraries_are_explained(error, advice):
    assert advice in versions.explain_import_error(ImportError(error))


def test_other_import_errors_are_not_explained():
    assert versions.explain_import_error(ImportError("No module named 'x'")) is None
