"""Files are written atomically: complete, or unchanged."""

import os
import stat

import pytest
from mmengine.fileio import get_file_backend

from mmdet_cleargrasp.compat.file_writing import write_local_files_atomically
from mmdet_cleargrasp.utils.atomic_files import open_atomically, write_atomically


def test_files_are_written_and_replaced(tmp_path):
    path = tmp_path / 'a' / 'b.txt'
    write_atomically(path, b'one')
    write_atomically(path, b'two')
    assert path.read_bytes() == b'two'
    assert [p.name for p in path.parent.iterdir()] == ['b.txt']
    assert stat.S_IMODE(path.stat().st_mode) & 0o400


@pytest.mark.parametrize('failing', ['fsync', 'replace'])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, failing):
    path = write_atomically(tmp_path / 'a.txt', b'old')

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match='No space left'):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
    assert [p.name for p in tmp_path.iterdir()] == ['a.txt']


def test_without_sync_the_file_is_not_flushed_to_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'fsync', lambda _: pytest.fail('waited'))
    assert write_atomically(tmp_path / 'a.txt', b'new', sync=False).read_bytes() == b'new'


def test_mmengine_writes_checkpoints_atomically(tmp_path, monkeypatch):
    path = tmp_path / 'epoch_1.pth'
    with write_local_files_atomically():
        backend = get_file_backend(str(path))
        backend.put(b'first', str(path))
        monkeypatch.setattr(os, 'replace', lambda *_: (_ for _ in ()).throw(OSError('killed')))
        with pytest.raises(OSError, match='killed'):
            backend.put(b'second', str(path))
    assert path.read_bytes() == b'first'


@pytest.mark.parametrize('system', ['Linux', 'NFS', 'no /proc'])
def test_errors_name_the_file_and_not_the_temporary_one(tmp_path, monkeypatch, system):
    if system == 'NFS':
        monkeypatch.delattr(os, 'O_TMPFILE', raising=False)
    if system == 'no /proc':
        monkeypatch.setattr(os, 'link', lambda *_, **__: pytest.fail('needs /proc'))
        is_dir = os.path.isdir
        monkeypatch.setattr(
            os.path, 'isdir', lambda p: not str(p).startswith('/proc') and is_dir(p)
        )
    path = write_atomically(tmp_path / 'a.txt', b'old')
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    (tmp_path / 'folder').mkdir()
    with pytest.raises(OSError, match='folder') as error:
        write_atomically(tmp_path / 'folder', b'new')
    assert '.partial' not in str(error.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a.txt', 'folder']


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_errors_of_the_block_get_the_file_s_name(tmp_path):
    with pytest.raises(OSError, match=r"full: '.*a\.txt'$"), open_atomically(tmp_path / 'a.txt'):
        raise OSError(28, 'full')
    assert list(tmp_path.iterdir()) == []
