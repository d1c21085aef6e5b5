from pathlib import PurePath

import pytest

from mmdet_cleargrasp.datasets.split_names import SplitFolders, split_of


@pytest.mark.parametrize(
    ('path', 'split'),
    [
        ('train/a.jpg', 'train'),
        ('images/Validation/a.jpg', 'val'),
        ('train2017/a.jpg', 'train'),
        ('train_images/day1/a.jpg', 'train'),
        ('obj_Test_data/a.jpg', 'test'),
        ('TestSet/a.jpg', 'test'),
        ('annotations/instances_val2017.json', 'val'),
        ('valid/_annotations.coco.json', 'val'),
        ('train.jpg', None),
        ('training day/a.jpg', None),
        ('train of thought/a.jpg', None),
        ('test series 3/a.jpg', None),
        ('my plates for training the detector/a.jpg', None),
        ('latest/a.jpg', None),
        ('invalid/a.jpg', None),
        ('plates_train.json', None),
        ('annotations.json', None),
    ],
)
def test_names_that_are_splits(path, split):
    path = PurePath(path)
    assert SplitFolders([path]).split(path, path.suffix == '.jpg') == split


@pytest.mark.parametrize(
    ('paths', 'splits'),
    [
        (['plates_train/a.jpg', 'plates_test/b.jpg'], ['train', 'test']),
        (['plates train 2.json', 'plates test 1.json'], ['train', 'test']),
        (['training day/a.jpg', 'test series/b.jpg'], [None, None]),
        (['x/plates_train/a.jpg', 'y/plates_test/b.jpg'], [None, None]),
    ],
)
def test_names_that_differ_in_the_split_alone_are_splits(paths, splits):
    paths = [PurePath(path) for path in paths]
    folders = SplitFolders(paths)
    assert [folders.split(path, path.suffix == '.jpg') for path in paths] == splits


def test_subsets_may_be_called_anything():
    assert split_of('Validation (week 3)') == 'val'
    assert split_of('week 3') is None
    assert split_of('test and train') is None
