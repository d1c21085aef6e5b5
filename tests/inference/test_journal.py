"""The file of results of a batch, which others may have changed."""

import json

import pytest

from mmdet_cleargrasp.inference.journal import Journal, Shard, read_results
from mmdet_cleargrasp.inference.results import COLUMNS, IMAGE_COLUMNS
from mmdet_cleargrasp.utils.errors import ConfigError

IMAGE = {**dict.fromkeys(IMAGE_COLUMNS, ''), 'image': 'a.jpg', 'width': 9, 'height': 9}
BOX = {'score': 0.9, 'x': 1.0, 'y': 2.0, 'box_width': 3.0, 'box_height': 4.0}
ROW = {**dict.fromkeys(COLUMNS, ''), 'image': 'a.jpg', 'class': 'petri_dish', **BOX}


def write(folder, *lines):
    text = ''.join(line if isinstance(line, str) else f'{json.dumps(line)}\n' for line in lines)
    (folder / 'results.jsonl').write_text(text, encoding='utf-8')


def test_results_come_back_without_a_line_that_was_cut_off(tmp_path):
    write(tmp_path, {'image': IMAGE, 'detections': [ROW]}, '{"image": {"image": "b')
    assert Journal(tmp_path, Shard()).done == {'a.jpg'}
    assert list(read_results(tmp_path, classes=['petri_dish'])) == [(IMAGE, [ROW])]


@pytest.mark.parametrize(
    'line',
    [
        {'image': 5, 'detections': []},
        {'image': {}, 'detections': []},
        {'image': {**IMAGE, 'image': 5}, 'detections': []},
        {'image': {**IMAGE, 'width': None}, 'detections': []},
        {'image': {**IMAGE, 'height': ''}, 'detections': []},
        {'image': IMAGE, 'detections': 3},
        {'image': IMAGE, 'detections': [{'class': 'petri_dish'}]},
        {'image': IMAGE, 'detections': [{**ROW, 'x': 'far'}]},
        {'image': IMAGE, 'detections': [{**ROW, 'score': float('nan')}]},
        {'image': IMAGE, 'detections': [{**ROW, 'class': 'dinner_plate'}]},
        {'image': IMAGE, 'detections': [{**ROW, 'class': [1]}]},
        '[1, 2]\n"image"\n',
        '[' * 100_000 + '\n',
        '{"image": "\xe4"}\n',
    ],
)
def test_damaged_lines_are_named(tmp_path, line):
    write(tmp_path, {'image': IMAGE, 'detections': []}, line)
    with pytest.raises(ConfigError, match=r'results\.jsonl, line \d is damaged'):
        list(read_results(tmp_path, classes=['petri_dish']))


def test_a_link_is_not_followed(tmp_path):
    """It could lead to any file of the user, the end of which would be cut off."""
    other = tmp_path / 'other.txt'
    other.write_text('no end of line')
    (tmp_path / 'results.jsonl').symlink_to(other)
    with pytest.raises(ConfigError, match='is not a regular file: remove it'):
        Journal(tmp_path, Shard())
    assert other.read_text() == 'no end of line'
