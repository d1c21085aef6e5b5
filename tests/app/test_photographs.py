"""Boxes that a browser sends, and which of them are shown."""

from pathlib import Path

import pytest

from mmdet_cleargrasp.app.photographs import Photograph, PlateBox, parse_boxes
from mmdet_cleargrasp.utils.errors import DataError

BOX = {'left': 10, 'top': 5, 'right': 50, 'bottom': 40, 'label': 'dish', 'score': 0.6}


def parse(*boxes):
    return parse_boxes(list(boxes), (100, 60), ['dish', 'plate'])


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        ({}, PlateBox(10, 5, 50, 40, 'dish', 0.6)),
        ({'label': 'plate', 'corrected': True}, PlateBox(10, 5, 50, 40, 'plate', 0.6, True)),
        ({'score': None}, PlateBox(10, 5, 50, 40, 'dish', None, True)),  # drawn by hand
        ({'left': 50, 'right': 10}, PlateBox(10, 5, 50, 40, 'dish', 0.6)),  # drawn leftwards
        ({'left': -9, 'bottom': 999}, PlateBox(0, 5, 50, 60, 'dish', 0.6)),  # clipped
        ({'removed': True}, PlateBox(10, 5, 50, 40, 'dish', 0.6, removed=True)),
        ({'known_mm': 90}, PlateBox(10, 5, 50, 40, 'dish', 0.6, known_mm=90.0)),
        ({'more': '<script>'}, PlateBox(10, 5, 50, 40, 'dish', 0.6)),
    ],
)
def test_boxes_are_parsed(change, expected):
    assert parse({**BOX, **change}) == [expected]


@pytest.mark.parametrize(
    'change',
    [
        {'label': 'cup'}, {'label': ['dish']}, {'label': None}, {'left': 'x'}, {'left': None},
        {'left': True}, {'left': float('nan')}, {'left': float('inf')}, {'left': 10**400},
        {'right': 10}, {'top': 60, 'bottom': 99}, {'score': 'high'}, {'known_mm': 0},
        {'known_mm': 1e9}, {'known_mm': 'a'}, {'left': {}},
    ],
)  # fmt: skip
def test_invalid_boxes_are_refused(change):
    with pytest.raises(DataError):
        parse({**BOX, **change})


@pytest.mark.parametrize('content', [None, {}, 'boxes', [1], [None], [BOX] * 1001, [[]]])
def test_values_that_are_not_boxes_are_refused(content):
    with pytest.raises(DataError):
        parse_boxes(content, (100, 60), ['dish'])


def test_one_known_size_at_most():
    with pytest.raises(DataError, match='one box of known size'):
        parse({**BOX, 'known_mm': 90}, {**BOX, 'known_mm': 60})


def photograph(*boxes, **fields):
    return Photograph('k', 'a.jpg', Path('a'), 1000, 1000, list(boxes), **fields)


@pytest.mark.parametrize(
    ('fields', 'threshold', 'shown'),
    [
        ({'score': 0.5}, 0.5, True),
        ({'score': 0.49}, 0.5, False),
        ({'score': 0.1, 'corrected': True}, 0.9, True),
        ({'score': None}, 1.0, True),
        ({'score': 0.9, 'removed': True}, 0.1, False),
    ],
)
def test_boxes_shown_at_a_threshold(fields, threshold, shown):
    assert bool(photograph(PlateBox(0, 0, 9, 9, 'dish', **fields)).shown(threshold)) is shown


def test_a_confirmed_photograph_keeps_its_boxes_when_the_threshold_changes():
    checked = photograph(PlateBox(0, 0, 9, 9, 'dish', 0.4), checked_at=0.3)
    assert len(checked.shown(0.9)) == 1


@pytest.mark.parametrize(
    ('box', 'px_per_mm', 'problem'),
    [
        (PlateBox(100, 100, 280, 270, 'dish', 0.1, known_mm=90), 2.0, ''),
        (PlateBox(100, 100, 280, 270, 'dish', 0.9), None, None),
        (PlateBox(100, 100, 280, 270, 'dish', 0.9, removed=True, known_mm=90), None, None),
        (PlateBox(0, 100, 180, 270, 'dish', None, known_mm=90), None, 'edge cuts off'),
    ],
)
def test_the_scale_comes_from_the_plate_of_known_size(box, px_per_mm, problem):
    scale = photograph(box).own_scale()
    if problem is None:
        assert scale is None
    else:
        assert scale.px_per_mm == px_per_mm and problem in scale.problem
