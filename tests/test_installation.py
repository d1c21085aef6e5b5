"""What an installation is: a wheel in an environment of its own, and one from a wheelhouse.

The environments borrow torch and all other packages from the one that runs the tests.
"""

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

SOURCES = ('mmdet_cleargrasp', 'plate_renderer', 'configs', 'tools')
FILES = ('setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE', 'model-index.yml', 'Makefile')
#: Packages that an environment has for itself.
OWN = ('pip', 'setuptools', 'pkg_resources', '_distutils_hack', 'distutils-precedence', 'wheel')


def run(*command, cwd, check=True, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'MAKEFLAGS')}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )
    assert not check or not done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.fixture(scope='module')
def packages(tmp_path_factory) -> Path:
    """The installed packages without this project, pip and OpenCV for desktops."""
    folder = tmp_path_factory.mktemp('packages')
    # Debian's Python names folders that are not there.
    places = [Path(place) for place in site.getsitepackages() if Path(place).is_dir()]
    for path in (path for place in places for path in place.iterdir()):
        hidden = (*OWN, 'mmdet_cleargrasp', '__editable__', 'opencv_python-')
        if not path.name.startswith(hidden) and '.pth' not in path.name:
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope='module')
def checkout(tmp_path_factory) -> Path:
    """A copy of what an installation needs of the repository."""
    folder = tmp_path_factory.mktemp('checkout')
    for name in SOURCES:
        shutil.copytree(
            ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns('__pycache__')
        )
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def environment(folder: Path, packages: Path) -> Path:
    """A virtual environment that finds the packages; returns its commands' folder."""
    run(sys.executable, '-m', 'venv', folder, cwd=folder.parent)
    place = next(folder.glob('lib/python*/site-packages'))
    (place / 'zz_packages.pth').write_text(str(packages))
    return folder / 'bin'


@pytest.fixture(scope='module')
def wheel(checkout, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('wheel')
    command = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation']
    run(*command, '--wheel-dir', folder, checkout, cwd=folder)
    return next(folder.glob('mmdet_cleargrasp-*.whl'))


def test_a_wheel_works_without_a_checkout(wheel, packages, tmp_path):
    commands = environment(tmp_path / 'venv', packages)
    # Without dependencies, which are there: mmcv asks for OpenCV for desktops, and it is not.
    run(commands / 'pip', 'install', '--no-index', '--no-deps', wheel, cwd=tmp_path)
    tool = commands / 'mmdet-cleargrasp'
    assert 'infer' in run(tool, cwd=tmp_path).stdout
    # A config by name; its backbone file and its data are not in a wheel.
    checked = run(tool, 'doctor', 'frcnn_cleargrasp_plates', cwd=tmp_path, check=False)
    said = ' '.join((checked.stdout + checked.stderr).split())
    assert checked.returncode == 1, said
    assert 'strides: [4, 8, 16, 32, 64]' in said
    assert 'checkpoints/resnet50_pretrained_on_renders.pth' in said
    (tmp_path / 'photographs').mkdir()
    shutil.copy(ROOT / 'docs' / 'images' / 'detector.jpg', tmp_path / 'photographs')
    infer = [tool, 'infer', 'photographs', '--out', 'found']
    missing = run(*infer, cwd=tmp_path, check=False)
    assert missing.returncode == 1
    assert 'Copy checkpoints/plate_detector.pth from a clone' in ' '.join(missing.stderr.split())
    # The weights put where the message says.
    (tmp_path / 'checkpoints').mkdir()
    shutil.copy(ROOT / 'checkpoints' / 'plate_detector.pth', tmp_path / 'checkpoints')
    run(*infer, cwd=tmp_path)
    assert (tmp_path / 'found' / 'detections.json').is_file()


def test_a_wheelhouse_installs_without_internet(checkout, packages, tmp_path):
    # `make wheelhouse` downloads what is installed in .venv, here pip and its like alone.
    commands = environment(checkout / '.venv', packages)
    run(commands / 'pip', 'install', '--upgrade', 'pip', 'setuptools<81', 'wheel', cwd=checkout)
    (checkout / '.venv' / '.installed').touch()
    run('make', 'wheelhouse', cwd=checkout)
    wheels = {path.name.split('-')[0] for path in (checkout / 'wheelhouse').glob('*.whl')}
    assert {'mmdet_cleargrasp', 'opencv_python_headless', 'pip', 'setuptools'} <= wheels
    shutil.move(checkout / 'wheelhouse', tmp_path / 'wheelhouse')
    shutil.rmtree(checkout / '.venv')
    environment(checkout / '.venv', packages)
    (checkout / '.venv' / '.installed').unlink(missing_ok=True)
    nowhere = {'PIP_INDEX_URL': 'http://127.0.0.1:9', 'PIP_EXTRA_INDEX_URL': ''}
    torch = 'TORCH=torch torchvision'
    run('make', 'install', f'WHEELHOUSE={tmp_path}/wheelhouse', torch, cwd=checkout, **nowhere)
    python = checkout / '.venv' / 'bin' / 'python'
    code = 'import mmdet_cleargrasp, cv2; print(mmdet_cleargrasp.__file__, cv2.__file__)'
    plugin, opencv = run(python, '-c', code, cwd=tmp_path).stdout.split()
    assert Path(plugin).is_relative_to(checkout)
    assert Path(opencv).is_relative_to(checkout)
