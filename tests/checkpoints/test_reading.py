import os
import pickle

import pytest
import torch

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.utils.errors import CheckpointError


class Malicious:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('legacy', [False, True], ids=['zip', 'legacy'])
def test_reads_what_torch_saved(tmp_path, legacy):
    torch.save(
        {'a': torch.arange(3)}, tmp_path / 'a.pth', _use_new_zipfile_serialization=not legacy
    )
    assert read_checkpoint(tmp_path / 'a.pth')['a'].tolist() == [0, 1, 2]


@pytest.mark.parametrize('save', [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_malicious_pickle_is_refused_and_not_run(tmp_path, save):
    trace = tmp_path / 'trace'
    save({'state_dict': Malicious(trace)}, tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match='nothing of it was executed'):
        read_checkpoint(tmp_path / 'bad.pth')
    assert not trace.exists()


def whole_file(path):
    torch.save({'weight': torch.rand(1000)}, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda p: None, r'no checkpoint at .*file.pth \(looked from'),
        (lambda p: p.mkdir(), 'is a folder'),
        (lambda p: p.write_bytes(b''), r'is empty \(0 bytes\)'),
        (
            lambda p: p.write_bytes(b'<html>404</html>'),
            'is no checkpoint that torch wrote; nothing',
        ),
        (lambda p: p.write_bytes(whole_file(p)[:2000]), 'probably truncated'),
        (lambda p: p.write_bytes(pickle.dumps([1, 2])), 'no checkpoint'),
    ],
    ids=['absent', 'folder', 'empty', 'html', 'truncated', 'plain pickle'],
)
def test_what_is_no_checkpoint_gets_one_clear_message(tmp_path, make, message):
    path = tmp_path / 'file.pth'
    make(path)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path)
