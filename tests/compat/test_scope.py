"""mmengine's file access is changed during a run only, and restored afterwards."""

import pytest
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.runner import CheckpointLoader

from mmdet_cleargrasp.engine.runner import safe_files
from mmdet_cleargrasp.utils.errors import CheckpointError


def test_mmengine_reads_checkpoints_safely_within_a_run_only(tmp_path):
    broken = tmp_path / 'broken.pth'
    broken.write_bytes(b'no checkpoint')
    with safe_files(), pytest.raises(CheckpointError, match='broken.pth'):
        CheckpointLoader.load_checkpoint(str(broken))
    with pytest.raises(Exception) as outside:
        CheckpointLoader.load_checkpoint(str(broken))
    assert not isinstance(outside.value, CheckpointError)


def test_mmengine_writes_files_atomically_within_a_run_only(tmp_path, monkeypatch):
    with safe_files():
        assert type(get_file_backend(str(tmp_path))) is not LocalBackend
        get_file_backend(str(tmp_path)).put(b'whole', str(tmp_path / 'file'))
        assert (tmp_path / 'file').read_bytes() == b'whole'
    assert type(get_file_backend(str(tmp_path))) is LocalBackend


def test_mmengine_is_restored_after_an_error(tmp_path):
    with pytest.raises(KeyError), safe_files():
        raise KeyError
    assert type(get_file_backend(str(tmp_path))) is LocalBackend
