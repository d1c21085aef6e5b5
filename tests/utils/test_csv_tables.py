import csv
import os

import pytest

from mmdet_cleargrasp.utils.csv_tables import without_formulas, write_csv


@pytest.mark.parametrize(
    'text',
    [
        *("=cmd|'/C calc'!A0", '+1+1', '-x', '@SUM(A1)'),
        *('\t=1', '\r=1', '\n=1', ' =1', '\u00a0=1', '\ufeff=1', '\u200b=1'),
        *('＝1', '＋1', '－x', '＠x'),
        *('a;=1', 'a,=1', 'a\t=1', 'a\n=1', 'a|=1', 'a; =1', '=1;=2'),
    ],
)
def test_formulas_are_escaped(text):
    guarded = without_formulas(text)
    assert guarded != text and guarded.replace("'", '') == text.replace("'", '')
    for cell in guarded.replace(',', ';').replace('\t', ';').replace('\n', ';').split(';'):
        assert not cell.strip('\r\ufeff\u200b\u00a0 ').startswith(tuple('=+-@＝＋－＠'))


@pytest.mark.parametrize(
    'value', ['plate-1.jpg', 'a=b', 'day 3/x.jpg', '', '-1.5', '+2', '-1e-3', -1.5, None, 'a;b']
)
def test_other_values_are_unchanged(value):
    assert without_formulas(value) == value


def test_names_in_any_script_and_with_invalid_utf_8(tmp_path):
    names = ['培养皿', 'plate [96]', 'a,"b"\nc', os.fsdecode(b'n\xe4pfe')]
    path = write_csv(
        tmp_path / 'new' / 'a.csv', ['name', '=n'], [{'name': n, '=n': 1} for n in names]
    )
    assert path.read_bytes().startswith(b'\xef\xbb\xbf')
    heading, *rows = csv.reader(path.open(encoding='utf-8-sig', newline=''))
    assert heading == ['name', "'=n"]
    assert [name for name, _ in rows] == [*names[:3], r'n\udce4pfe']
