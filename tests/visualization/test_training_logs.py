import json

import pytest

from mmdet_cleargrasp.utils.errors import DataError
from mmdet_cleargrasp.visualization.training_logs import read_run


def write(path, entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(json.dumps(entry) + '\n' for entry in entries))


def train(step, epoch, loss):
    return {'loss': loss, 'lr': 0.1, 'time': 1.0, 'epoch': epoch, 'iter': step, 'step': step}


def val(epoch, value):
    return {'coco/bbox_mAP': value, 'time': 0.1, 'step': epoch}


@pytest.fixture
def resumed(tmp_path):
    """Killed in its third epoch, resumed from the end of the second."""
    first = [
        train(1, 1, 9),
        train(2, 1, 8),
        val(1, 0.1),
        train(3, 2, 7),
        val(2, 0.2),
        train(5, 3, 6),
    ]
    write(tmp_path / '20260101_000000' / 'vis_data' / 'scalars.json', first)
    second = [train(5, 3, 5), train(6, 3, 4), val(3, 0.3)]
    write(tmp_path / '20260101_000500' / 'vis_data' / 'scalars.json', second)
    return tmp_path


def test_resumed_run_is_one_curve(resumed):
    run = read_run(resumed)
    steps, losses = run.curve('loss')
    assert steps.tolist() == [1, 2, 3, 5, 6]
    assert losses.tolist() == [9, 8, 7, 5, 4]
    epochs, scores = run.curve('bbox_mAP')
    assert epochs.tolist() == [1, 2, 3]
    assert scores.tolist() == [0.1, 0.2, 0.3]


def test_run_that_resumes_within_an_epoch_keeps_its_steps(resumed):
    write(resumed / '20260101_000600' / 'vis_data' / 'scalars.json', [train(7, 3, 3), val(3, 0.4)])
    run = read_run(resumed)
    assert run.curve('loss')[0].tolist() == [1, 2, 3, 5, 6, 7]
    assert run.curve('bbox_mAP')[1].tolist() == [0.1, 0.2, 0.4]


def test_new_run_in_the_same_folder_replaces_the_old_one(resumed):
    # Its first line comes at a later step than the old run's, as with another log interval.
    write(resumed / '20260102_000000' / 'vis_data' / 'scalars.json', [train(2, 1, 3), val(1, 0.5)])
    run = read_run(resumed)
    assert run.curve('loss')[1].tolist() == [3]
    assert run.curve('coco/bbox_mAP')[1].tolist() == [0.5]


def test_single_file_and_kinds_of_keys(resumed):
    run = read_run(resumed / '20260101_000000' / 'vis_data' / 'scalars.json')
    assert run.names == ['loss', 'lr', 'time', 'coco/bbox_mAP']
    assert run.is_validated('bbox_mAP')
    assert not run.is_validated('loss')
    assert not run.is_validated('time')


def test_line_cut_off_by_a_kill_is_left_out(resumed):
    log = resumed / '20260101_000500' / 'vis_data' / 'scalars.json'
    log.write_text(log.read_text() + '{"loss": 1.0, "ste')
    assert read_run(resumed).curve('loss')[1].tolist() == [9, 8, 7, 5, 4]


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda p: None, 'is not there'),
        (lambda p: p.mkdir(), 'holds no log'),
        (lambda p: p.write_text('no json\n{}\n'), 'line 1 is not JSON'),
    ],
)
def test_what_is_no_run_is_named(tmp_path, make, message):
    make(tmp_path / 'run')
    with pytest.raises(DataError, match=message):
        read_run(tmp_path / 'run')


def test_key_that_was_not_logged_lists_those_that_were(resumed):
    with pytest.raises(DataError, match="no 'loss_cls'; there are loss, lr, time, coco/bbox_mAP"):
        read_run(resumed).curve('loss_cls')
