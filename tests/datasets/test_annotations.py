import json

import pytest

from mmdet_cleargrasp.datasets import read_coco
from mmdet_cleargrasp.utils.errors import DataError

GOOD = {
    'images': [{'id': 1, 'file_name': 'a.jpg', 'width': 10, 'height': 10}],
    'annotations': [
        {'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': [0, 0, 5, 5], 'area': 25, 'iscrowd': 0}
    ],
    'categories': [{'id': 1, 'name': 'plate'}],
}


def test_good_file_gives_its_classes_in_order(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps(GOOD))
    assert read_coco(tmp_path / 'a.json').classes == ('plate',)


def changed(section, **values):
    return json.dumps({**GOOD, section: [{**GOOD[section][0], **values}]})


def lacking(section, key):
    entry = {k: v for k, v in GOOD[section][0].items() if k != key}
    return json.dumps({**GOOD, section: [entry]})


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{"images": [', 'not valid JSON'),
        ('', 'not valid JSON'),
        ('[' * 100_000, 'not valid JSON'),
        ('[1, 2]', 'holds a list, expected a COCO dict'),
        ('{}', "no list 'images'"),
        ('{"images": {}}', "no list 'images'"),
        ('{"images": [], "annotations": []}', "no list 'categories'"),
        ('{"images": [3], "annotations": [], "categories": []}', "images[0] lacks 'id'"),
        (lacking('images', 'width'), "images[0] lacks 'width'"),
        (lacking('annotations', 'area'), "annotations[0] lacks 'area'"),
        (lacking('annotations', 'iscrowd'), "lacks 'iscrowd'"),
        (lacking('categories', 'name'), "categories[0] lacks 'name'"),
        (changed('images', id=[1]), 'images[0] has id=[1], expected int | str'),
        (changed('images', width='10'), "width='10', expected int | float"),
        (changed('annotations', bbox='1,2,3,4'), 'expected list'),
        (changed('annotations', category_id=None), 'category_id=None'),
        (changed('categories', name=7), 'name=7, expected str'),
    ],
)
def test_malformed_file_says_where_and_what(tmp_path, text, message):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(DataError) as raised:
        read_coco(tmp_path / 'a.json')
    assert message in str(raised.value)
