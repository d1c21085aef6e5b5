import pytest

from mmdet_cleargrasp.conversion import Box, Picture, split_at_random
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
    splits = split_at_random(pictures(NAMES), group_by, val=0.3, seed=1)
    found = {}
    for name, split in splits.items():
        found.setdefault(key(name), set()).add(split)
    assert all(len(splits_of_group) == 1 for splits_of_group in found.values())
    assert set(splits.values()) == {'train', 'val'}


def test_shares_are_kept_on_average_and_no_image_changes_its_split():
    names = [f'{k}.jpg' for k in range(1000)]
    half = split_at_random(pictures(names[:500]), val=0.2, test=0.1)
    whole = split_at_random(pictures(names), val=0.2, test=0.1)
    assert all(whole[name] == split for name, split in half.items())
    counts = [list(whole.values()).count(split) for split in ('train', 'val', 'test')]
    assert [round(count / 1000, 1) for count in counts] == [0.7, 0.2, 0.1]


@pytest.mark.parametrize('seed', range(8))
def test_every_split_has_boxes(seed):
    few = pictures(['a', 'b', 'c']) + pictures([f'n{k}' for k in range(20)], boxes=False)
    splits = split_at_random(few, val=0.1, test=0.1, seed=seed)
    assert {splits[name] for name in 'abc'} == {'train', 'val', 'test'}


@pytest.mark.parametrize(
    ('names', 'options', 'error', 'message'),
    [
        (NAMES, {'val': 0.6, 'test': 0.4}, ConfigError, 'some left to train on'),
        (NAMES, {'val': -0.1}, ConfigError, '--val -0.1'),
        (NAMES, {'group_by': '('}, ConfigError, 'not a regular expression'),
        (NAMES, {'group_by': 'dish'}, ConfigError, 'each of the 60 images a group of its own'),
        (['a'], {}, DataError, r'1 image\(s\) with boxes cannot be split into train and val'),
    ],
)  # fmt: skip
def test_splits_that_cannot_be_are_refused(names, options, error, message):
    with pytest.raises(error, match=message):
        split_at_random(pictures(names), **options)
