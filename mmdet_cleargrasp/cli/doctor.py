"""Check a config and its data without training: versions, device, data, classes, weights."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace

from .arguments import add_config, add_scale, add_test_split, new_parser
from .command import command

EXAMPLES = """
examples:
  python tools/doctor.py configs/frcnn_cleargrasp_plates.py
  python tools/doctor.py configs/retinanet_cleargrasp_plates.py --data-root ~/my_plates
  python tools/doctor.py CONFIG --checkpoint work_dirs/frcnn_cleargrasp_plates/epoch_24.pth
"""


def make_parser() -> argparse.ArgumentParser:
    """Create the parser of the command line."""
    parser = new_parser(__doc__, EXAMPLES)
    add_config(parser)
    add_scale(parser)
    add_test_split(parser)
    parser.add_argument('--checkpoint', help='detector checkpoint, to check a test run')
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    args = make_parser().parse_args(argv)

    from ..engine.checks import check_run, describe
    from ..engine.prepare import RunOptions, prepare

    with tempfile.TemporaryDirectory() as split_dir:
        options = replace(RunOptions.from_args(args), split_dir=split_dir)
        findings = check_run(prepare(args.config, options))
        print(describe(findings))
        errors = sum(finding.level == 'error' for finding in findings)
        print(f'\n{errors} error(s)' if errors else '\nready to run')
    return 1 if errors else 0
