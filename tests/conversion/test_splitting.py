import pytest

from mmdet_cleargrasp.conversion import Box, Picture, part
from mmdet_cleargrasp.utils.errors import ConfigError, DataError


def pictures(names, boxes=True):
    box = (Box('dish', 1, 1, 9, 9),) if boxes else ()
    return [(name, Picture(name, 10, 10, box)) for name in names]


NAMES = [f'day{k % 3}/plate{k // 4:02d}_{k % 4}.jpg' for k in range(60)]


@pytest.mark.parametrize(
    ('group_by', 'key'),
    [(r'plate(\d+)', lambda n: n[10:12]), (r'plate\d+', lambda n: n[10:12]), ('parent', lambda n: n[:4])],
)  # fmt: skip
def test_groups_stay_together(group_by, key):
    splits = part(pictures(NAMES), group_by, val=0.3, seed=1)
    sides = {}
    for name, split in splits.items():
        sides.setdefault(key(name), set()).add(split)
    assert all(len(found) == 1 for found in sides.values())
    assert set(splits.values()) == {'train', 'val'}


def test_shares_are_kept_on_average_and_no_image_changes_sides():
    names = [f'{k}.jpg' for k in range(1000)]
    half = part(pictures(names[:500]), val=0.2, test=0.1)
    whole = part(pictures(names), val=0.2, test=0.1)
    assert all(whole[name] == split for name, split in half.items())
    counts = [list(whole.values()).count(split) for split in ('train', 'val', 'test')]
    assert [round(count / 1000, 1) for count in counts] == [0.7, 0.2, 0.1]


@pytest.mark.parametrize('seed', range(8))
def test_every_split_has_boxes(seed):
    few = pictures(['a', 'b', 'c']) + pictures([f'n{k}' for k in range(20)], boxes=False)
    splits = part(few, val=0.1, test=0.1, seed=seed)
    assert {splits[name] for name in 'abc'} == {'train', 'val', 'test'}


@pytest.mark.parametrize(
    ('names', 'options', 'error', 'message'),
    [
        (NAMES, {'val': 0.6, 'test': 0.4}, ConfigError, 'some left to train on'),
        (NAMES, {'val': -0.1}, ConfigError, '--val -0.1'),
        (NAMES, {'group_by': '('}, ConfigError, 'no valid expression'),
        (NAMES, {'group_by': 'dish'}, ConfigError, 'puts no two of the 60 images together'),
        (['a'], {}, DataError, r'1 group\(s\) of images with boxes cannot be parted into val, train'),
    ],
)  # fmt: skip
def test_parting_that_cannot_be_is_refused(names, options, error, message):
    with pytest.raises(error, match=message):
        part(pictures(names), **options)
