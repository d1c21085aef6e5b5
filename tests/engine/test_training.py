"""Training in a process that goes on afterwards, such as a notebook's."""

import signal

import pytest

from mmdet_cleargrasp.engine.config_changes import set_epochs
from mmdet_cleargrasp.engine.prepare import RunOptions, prepare
from mmdet_cleargrasp.engine.training import restored_signals, train


def test_two_runs_log_into_their_own_folders(tiny_config, toy_plates, tmp_path):
    for name in ('first', 'second'):
        plan = prepare(tiny_config, RunOptions(work_dir=tmp_path / name, data_root=toy_plates))
        set_epochs(plan.cfg, 1)
        train(plan)
    for name in ('first', 'second'):
        assert len(list(tmp_path.glob(f'{name}/*/vis_data/scalars.json'))) == 1


def test_signal_handlers_are_restored_however_a_run_ends():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), restored_signals():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before
