"""Ranges of integer options."""

import importlib

import pytest


@pytest.mark.parametrize(
    ('tool', 'arguments'),
    [
        ('draw_toy_plates', ['out', '--train', '-1']),
        ('draw_toy_plates', ['out', '--seed', '-1']),
        ('draw_toy_plates', ['out', '--size', '9' * 30]),
        ('random_backbone', ['photos', 'out', '--max-images', '0']),
        ('random_backbone', ['photos', 'out', '--seed', '-1']),
        ('browse_dataset', ['photos', '--seed', '-1']),
        ('compare_runs', ['a', 'b', '--pictures', '-1']),
    ],
)
def test_numbers_out_of_range_are_refused(capsys, tool, arguments):
    parser = importlib.import_module(f'mmdet_cleargrasp.cli.{tool}').make_parser()
    with pytest.raises(SystemExit, match='2'):
        parser.parse_args(arguments)
    assert f'argument {arguments[-2]}: ' in capsys.readouterr().err
