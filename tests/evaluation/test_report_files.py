import json

import pytest

from mmdet_cleargrasp.evaluation.report_files import (
    REPORT_FILES,
    check_report,
    finish_report,
    start_report,
)
from mmdet_cleargrasp.utils.errors import DataError


@pytest.fixture
def report(tmp_path):
    """A finished report."""
    for name in REPORT_FILES:
        (tmp_path / name).write_text(json.dumps({'checkpoint': 'a.pth'}))
    finish_report(tmp_path)
    return tmp_path


def test_a_finished_report_is_whole(report):
    check_report(report)


@pytest.mark.parametrize('name', [*REPORT_FILES, 'manifest.json'])
def test_each_missing_file_makes_it_incomplete(report, name):
    (report / name).unlink()
    with pytest.raises(DataError, match=f'has no {name}: its test was interrupted'):
        check_report(report)


@pytest.mark.parametrize('name', REPORT_FILES)
def test_each_changed_file_is_named(report, name):
    (report / name).write_text('[')
    with pytest.raises(DataError, match=f'{name} changed after the test'):
        check_report(report)


@pytest.mark.parametrize('content', ['', '[]', '{}', '{"sha256": 3}', '\\xff'])
def test_broken_manifests_are_messages(report, content):
    (report / 'manifest.json').write_text(content)
    with pytest.raises(DataError, match='cannot be read: run tools/test.py again'):
        check_report(report)


def test_a_new_test_names_the_report_that_it_replaces(report):
    assert start_report(report) == 'a.pth'
    assert start_report(report) is None  # interrupted since
    with pytest.raises(DataError, match='interrupted'):
        check_report(report)
    assert start_report(report / 'new' / 'one') is None
