import cv2
import pytest

from mmdet_cleargrasp.utils.errors import DataError, UserError
from mmdet_cleargrasp.visualization.training_curves import draw_run, plot_curves, train_times
from mmdet_cleargrasp.visualization.training_logs import read_run
from tests.visualization.test_training_logs import (  # noqa: F401  resumed is a fixture
    resumed,
    train,
    val,
    write,
)


def test_picture_of_a_run(resumed, tmp_path):  # noqa: F811
    draw_run(resumed, tmp_path / 'curves.png')
    picture = cv2.imread(str(tmp_path / 'curves.png'))
    assert picture.shape[0] > 300
    assert picture.std() > 5


def test_run_of_one_step_without_validation_is_drawn(tmp_path):
    write(tmp_path / 'log.json', [train(1, 1, 3)])
    draw_run(tmp_path / 'log.json', tmp_path / 'curves.png')
    assert (tmp_path / 'curves.png').stat().st_size > 0


@pytest.mark.parametrize('keys', [['loss'], ['bbox_mAP'], ['loss', 'bbox_mAP', 'lr']])
def test_several_runs_and_kinds_of_values_in_one_picture(resumed, tmp_path, keys):  # noqa: F811
    plot_curves([resumed, resumed], keys, tmp_path / 'out.png', title='two runs')
    assert (tmp_path / 'out.png').stat().st_size > 0


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(keys=['loss'], legend=['a', 'b']), '2 legend entries for 1 run'),
        (dict(keys=['absent']), "no 'absent'"),
        (dict(keys=['loss'], out='nowhere/out.png'), 'cannot write nowhere/out.png'),
        (dict(keys=['loss'], out='out.unknown'), 'cannot write out.unknown'),
    ],
)
def test_what_cannot_be_drawn_is_named(resumed, tmp_path, arguments, message):  # noqa: F811
    with pytest.raises(UserError, match=message):
        plot_curves([resumed], **{'out': str(tmp_path / 'out.png'), **arguments})


def test_start_epoch_drops_earlier_epochs(resumed, tmp_path):  # noqa: F811
    with pytest.raises(DataError, match="no 'loss'"):
        plot_curves([resumed], ['loss'], tmp_path / 'out.png', start_epoch=4)


def test_times_by_epoch_skip_the_first_line_of_each_epoch(tmp_path):
    entries = [{**train(step, epoch, 1), 'time': time} for step, epoch, time in
               ((1, 1, 9.0), (2, 1, 1.0), (3, 1, 3.0), (4, 2, 5.0))]  # fmt: skip
    write(tmp_path / 'log.json', entries)
    run = read_run(tmp_path / 'log.json')
    assert train_times(run) == {1: 2.0, 2: 5.0}
    assert train_times(run, include_outliers=True) == {1: pytest.approx(13 / 3), 2: 5.0}


def test_log_without_times_is_refused(tmp_path):
    write(tmp_path / 'log.json', [val(1, 0.5)])
    with pytest.raises(DataError, match='no training times'):
        train_times(read_run(tmp_path / 'log.json'))
