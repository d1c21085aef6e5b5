"""Publishing a detector keeps weights, classes and threshold only."""

import pytest
import torch

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.cli.publish_detector import main
from mmdet_cleargrasp.evaluation.working_threshold import META_KEY

META = {'dataset_meta': {'classes': ('a', 'b')}, META_KEY: {'threshold': 0.6, 'f1': 0.9}}


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    state = {'w': torch.tensor([0.1, 1e6]), 'steps': torch.tensor(3)}
    torch.save({'state_dict': state, 'meta': META, 'optimizer': {'lr': 1}}, path)
    return path


def test_weights_classes_and_threshold_are_kept_and_nothing_else(checkpoint, tmp_path):
    out = tmp_path / 'small.pth'
    assert main([str(checkpoint), str(out), '--note', 'a note']) == 0
    content = read_checkpoint(out)
    assert content.keys() == {'state_dict', 'meta'}
    assert content['meta'] == {
        'dataset_meta': {'classes': ['a', 'b']},
        META_KEY: {'threshold': 0.6, 'f1': 0.9},
        'note': 'a note',
    }
    assert content['state_dict']['w'].dtype == torch.float32


def test_tensors_beyond_the_range_of_float16_stay_float32(checkpoint, tmp_path):
    out = tmp_path / 'small.pth'
    main([str(checkpoint), str(out), '--half'])
    state = read_checkpoint(out)['state_dict']
    assert state['w'].dtype == torch.float32  # it has 1e6, which is beyond float16
    assert state['steps'].dtype == torch.int64


def test_an_existing_file_is_not_overwritten(checkpoint, tmp_path, capsys):
    assert main([str(checkpoint), str(checkpoint)]) == 1
    assert '--overwrite' in capsys.readouterr().err


def test_a_file_without_classes_is_refused(tmp_path, capsys):
    path = tmp_path / 'bare.pth'
    torch.save({'state_dict': {'w': torch.zeros(1)}}, path)
    assert main([str(path), str(tmp_path / 'out.pth')]) == 1
    assert 'names no classes' in capsys.readouterr().err
