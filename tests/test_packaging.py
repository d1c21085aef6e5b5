"""The wheel is a working plugin: types, configs and tools are in it."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT

SOURCES = ('mmdet_cleargrasp', 'configs', 'tools')
FILES = ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE', 'model-index.yml')


@pytest.fixture(scope='module')
def unpacked_wheel(tmp_path_factory):
    source, target = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('wheel')
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name, symlinks=True)
    for name in FILES:
        shutil.copy(ROOT / name, source)
    command = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '--quiet']
    subprocess.run([*command, '--wheel-dir', target, source], check=True)
    with zipfile.ZipFile(next(target.glob('*.whl'))) as wheel:
        wheel.extractall(target / 'site')
    return target / 'site'


def test_installed_package_finds_its_configs(unpacked_wheel):
    code = (
        'import mmdet_cleargrasp as plugin; from mmengine import Config; '
        'path = plugin.config_path("retinanet_cleargrasp_plates"); '
        'print(path); print(Config.fromfile(path).model.backbone.type)'
    )
    environment = {**os.environ, 'PYTHONPATH': str(unpacked_wheel)}
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=unpacked_wheel,
        env=environment,
        capture_output=True,
        text=True,
    )
    path, backbone = done.stdout.split()[-2:]
    assert path.startswith(str(unpacked_wheel)), done.stderr
    assert backbone == 'ClearGraspResNet'


def test_wheel_holds_what_mim_looks_for(unpacked_wheel):
    mim = unpacked_wheel / 'mmdet_cleargrasp' / '.mim'
    tools = {path.relative_to(ROOT / 'tools') for path in (ROOT / 'tools').rglob('*.[ps][yh]')}
    assert {path.relative_to(mim / 'tools') for path in (mim / 'tools').rglob('*.*')} == tools
    index = (mim / 'model-index.yml').read_text()
    for line in index.splitlines():
        if 'Config:' in line:
            assert (mim / line.split()[-1]).is_file()
