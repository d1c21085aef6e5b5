"""Tables that a spreadsheet opens as they are meant."""

import csv

import pytest

from mmdet_cleargrasp.inference.results import COLUMNS
from mmdet_cleargrasp.utils.csv_tables import write_csv


@pytest.mark.parametrize(
    ('name', 'written'),
    [
        ('day 3.jpg', 'day 3.jpg'),
        ('Schälchen, neu.jpg', 'Schälchen, neu.jpg'),
        ('=HYPERLINK("x").jpg', '\'=HYPERLINK("x").jpg'),
        ('-1.jpg', "'-1.jpg"),
        ('@x.jpg', "'@x.jpg"),
    ],
)
def test_names_are_text(tmp_path, name, written):
    row = dict.fromkeys(COLUMNS, '') | {'image': name, 'x': -1.5}
    write_csv(tmp_path / 'a.csv', COLUMNS, [row])
    with (tmp_path / 'a.csv').open(encoding='utf-8-sig', newline='') as stream:
        read = list(csv.DictReader(stream))
    assert [r['image'] for r in read] == [written]
    assert float(read[0]['x']) == -1.5
