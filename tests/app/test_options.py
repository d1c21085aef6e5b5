"""Command-line options of ``app``."""

import pytest

from mmdet_cleargrasp.app.limits import Limits
from mmdet_cleargrasp.cli.app import LIMITS, make_parser


def test_defaults_are_those_of_the_limits():
    args = make_parser().parse_args([])
    assert {name: getattr(args, f'max_{name}') for name in LIMITS} == {
        name: getattr(Limits(), name) for name in LIMITS
    }
    assert args.idle_minutes * 60 == Limits().idle_seconds


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('--idle-minutes', '0'), ('--idle-minutes', '-1'), ('--idle-minutes', 'nan'),
        ('--max-files', '-1'), ('--max-files', '0'), ('--max-total-megabytes', '1.5'),
    ],
)  # fmt: skip
def test_invalid_limits_are_refused(capsys, option, value):
    with pytest.raises(SystemExit, match='2'):
        make_parser().parse_args([f'{option}={value}'])
    assert option in capsys.readouterr().err


def test_help_imports_no_framework(run_tool):
    run_tool(
        '-c',
        'import sys; from mmdet_cleargrasp.cli.app import make_parser\n'
        'make_parser().format_help()\n'
        'assert not {"torch", "numpy", "cv2", "starlette"} & set(sys.modules)',
    )
