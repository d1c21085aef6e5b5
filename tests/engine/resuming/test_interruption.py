"""Processes of one run stop after the same step, whichever of them is told to."""

import signal
from types import SimpleNamespace

import pytest
from torch.distributed import HashStore

from mmdet_cleargrasp.engine.resuming.interruption import InterruptHook
from mmdet_cleargrasp.utils.errors import Terminated


@pytest.fixture
def hooks():
    """The hooks of two processes on one store."""
    store, hooks = HashStore(), [InterruptHook(), InterruptHook()]
    for hook in hooks:
        hook._store = store
    return hooks


def stops(hooks, events, exchanged_every=1, steps=12):
    """After which step each process stops; ``events`` has (process, step) that SIGTERM arrives."""
    found = [None, None]
    for step in range(1, steps + 1):
        for process, hook in enumerate(hooks):
            if (process, step) in events:
                hook._handle(15, None)
            if found[process] is None and hook._step_to_stop_after(step, exchanged_every) == step:
                found[process] = step
    return found


@pytest.mark.parametrize(
    ('events', 'exchanged_every', 'expected'),
    [
        ([], 1, [None, None]),
        ([(0, 3)], 1, [4, 4]),
        ([(1, 3)], 1, [4, 4]),  # the first process learns of it one step later
        ([(0, 3), (1, 3)], 1, [4, 4]),
        ([(0, 3), (1, 4)], 1, [4, 4]),
        ([(1, 3)], 4, [7, 7]),  # gradients are exchanged every fourth step
    ],
)
def test_processes_agree(hooks, events, exchanged_every, expected):
    assert stops(hooks, events, exchanged_every) == expected


def test_the_first_signal_is_named():
    hook = InterruptHook()
    hook._handle(signal.SIGUSR2, None)
    hook._handle(signal.SIGTERM, None)  # as a requeued job gets it next
    assert hook._told == signal.SIGUSR2


def test_one_process_stops_at_once():
    hook = InterruptHook()
    assert hook._step_to_stop_after(5, 1) is None
    hook._handle(15, None)
    assert hook._step_to_stop_after(5, 1) == 5


def test_a_second_ctrl_c_stops_within_the_step():
    hook = InterruptHook()
    hook._handle(signal.SIGINT, None)
    hook._handle(signal.SIGTERM, None)  # as from the parent of an experiment's run
    hook._handle(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        hook._handle(signal.SIGINT, None)


@pytest.mark.parametrize(('saved', 'stops_now'), [(2, True), (1, False), (None, False)])
def test_a_validation_is_left_at_once_if_its_epoch_is_saved(tmp_path, saved, stops_now):
    if saved:
        (tmp_path / f'epoch_{saved}.pth').touch()
        (tmp_path / 'last_checkpoint').write_text(f'/elsewhere/epoch_{saved}.pth')
    hook = InterruptHook()
    hook.before_val(SimpleNamespace(work_dir=tmp_path, epoch=2))
    if stops_now:
        with pytest.raises(Terminated):
            hook._handle(signal.SIGTERM, None)
    else:
        hook._handle(signal.SIGTERM, None)
    hook.after_val(None)
    hook._handle(signal.SIGTERM, None)
    assert hook._step_to_stop_after(5, 1) == 5
