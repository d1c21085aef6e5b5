import pytest
import torch

from mmdet_cleargrasp.evaluation.working_threshold import (
    DEFAULT_THRESHOLD,
    META_KEY,
    read_working_threshold,
    store_beside,
    working_threshold,
)


def save(path, **meta):
    torch.save({'state_dict': {}, 'meta': meta}, path)
    return path


def test_threshold_is_read_from_the_checkpoint(tmp_path):
    path = save(tmp_path / 'best.pth', **{META_KEY: {'threshold': 0.43, 'f1': 0.8}})
    found = read_working_threshold(path)
    assert found.value == 0.43
    assert str(found) == '0.43 (working threshold of the checkpoint, best F1 on validation (0.80))'
    stored = {'threshold': 0.6, 'f1': 0.75, 'beta': 0.5}
    found = read_working_threshold(save(tmp_path / 'careful.pth', **{META_KEY: stored}))
    assert 'best F0.5 on validation (F1 0.75)' in str(found)
    assert found.figures() == stored


def test_the_run_s_file_is_asked_and_the_checkpoint_comes_first(tmp_path):
    last = save(tmp_path / 'epoch_2.pth', epoch=2)
    store_beside(tmp_path / 'epoch_1.pth', {'threshold': 0.2, 'f1': 0.5})
    store_beside(last, {'threshold': 0.6, 'f1': 0.7})
    assert read_working_threshold(last).value == 0.6
    assert 'epoch_1.pth' not in (tmp_path / 'working_thresholds.json').read_text()  # it is gone
    save(last, **{META_KEY: {'threshold': 0.3, 'f1': 0.9}})
    assert read_working_threshold(last).value == 0.3


def test_without_one_the_default_is_named(tmp_path):
    plain = tmp_path / 'plain.pth'
    torch.save({'weight': torch.zeros(1)}, plain)
    for path in (save(tmp_path / 'a.pth'), save(tmp_path / 'b.pth', **{META_KEY: 'x'}), plain):
        found = read_working_threshold(path)
        assert found.value == DEFAULT_THRESHOLD
        assert 'default' in str(found)


@pytest.mark.parametrize(
    'stored', [{'threshold': float('nan'), 'f1': 0.5}, {'threshold': 10**400, 'f1': 1},
               {'threshold': -1, 'f1': 0.5}, {'threshold': 0.5, 'f1': float('inf')}, 'x', [1],
               {'threshold': 0.5, 'f1': 0.5, 'beta': float('nan')}],
)  # fmt: skip
def test_an_impossible_one_counts_as_none(tmp_path, stored):
    """No score reaches NaN: a detector would silently find nothing."""
    assert working_threshold({META_KEY: stored}, tmp_path / 'x.pth').value == DEFAULT_THRESHOLD
