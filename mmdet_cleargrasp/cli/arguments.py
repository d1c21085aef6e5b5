"""What the command lines have in common."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def new_parser(description: str | None, examples: str) -> argparse.ArgumentParser:
    """A parser whose help ends in examples, as they would be typed the way this command was.

    Args:
        description: What the command does.
        examples: With ``python tools/TOOL.py`` in them.
    """
    name = Path(sys.argv[0]).name
    if name.startswith('mmdet-cleargrasp'):
        examples = re.sub(r'python tools/(?:\w+/)?(\w+)\.py', r'mmdet-cleargrasp \1', examples)
    return argparse.ArgumentParser(
        prog=name,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def command_name() -> str:
    """How the user called this command: ``python tools/train.py``, ``mmdet-cleargrasp train``."""
    return f'python {sys.argv[0]}' if sys.argv[0].endswith('.py') else sys.argv[0]


def at_least(minimum: int) -> Callable[[str], int]:
    """A type of argument: whole numbers from a minimum on.

    Args:
        minimum: The smallest that is accepted.

    Example:
        >>> at_least(1)('0')
        Traceback (most recent call last):
            ...
        argparse.ArgumentTypeError: 0: expected 1 or more
    """

    def whole_number(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text!r}: expected a whole number') from None
        if number < minimum:
            raise argparse.ArgumentTypeError(f'{text}: expected {minimum} or more')
        return number

    return whole_number


def picture_file(text: str) -> Path:
    """A type of argument: a ``.png`` or ``.jpg`` to write.

    Args:
        text: As typed.

    Example:
        >>> picture_file('sheet.gif')
        Traceback (most recent call last):
            ...
        argparse.ArgumentTypeError: sheet.gif: expected a name that ends in .png or .jpg
    """
    path = Path(text)
    if path.suffix.lower() not in ('.png', '.jpg'):
        raise argparse.ArgumentTypeError(f'{text}: expected a name that ends in .png or .jpg')
    return path


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the config and what changes it."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help='a folder of your own data with COCO annotations; classes and their number come from '
        'there and are set everywhere they are needed',
    )
    add_cfg_options(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add what changes single values of a config."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_KeyValues,
        metavar='KEY=VALUE',
        help='values that replace those of the config, such as train_dataloader.batch_size=4',
    )


def add_scale(parser: argparse.ArgumentParser) -> None:
    """Add the size to which images are resized."""
    parser.add_argument(
        '--scale',
        nargs='+',
        type=at_least(1),
        action=_WidthAndHeight,
        metavar=('WIDTH', 'HEIGHT'),
        help="pixels that images are resized to fit in; one number for a square [the config's]",
    )


def add_test_split(parser: argparse.ArgumentParser) -> None:
    """Add the split that is tested on."""
    parser.add_argument(
        '--test-split',
        metavar='NAME',
        help="test on annotations/NAME.json and the images in NAME/ [the config's]",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add where a run writes and how its processes were started."""
    parser.add_argument('--work-dir', help='where everything goes [work_dirs/CONFIG]')
    parser.add_argument(
        '--verbose', action='store_true', help="MMEngine's whole log on the console [in its file]"
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add a training's length, precision and what it resumes from."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--epochs', type=int, help="length of the run [the config's]")
    length.add_argument(
        '--max-minutes',
        type=_minutes,
        metavar='MINUTES',
        help='as many epochs as fit, by the speed of the first steps on this machine',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision; bfloat16 on a CPU')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from a checkpoint, or from the latest in the work dir',
    )


def add_detector(parser: argparse.ArgumentParser) -> None:
    """Add how a detector is run on images."""
    parser.add_argument(
        '--per-class',
        action='store_true',
        help='keep boxes of several classes around the same plate [the best one alone]',
    )
    parser.add_argument('--device', help='such as cuda:0 or cpu [a GPU where there is one]')


def set_local_rank(args: argparse.Namespace) -> None:
    """Tell mmengine this process's number on its machine, where the launcher did not.

    Args:
        args: With the options of :func:`add_run`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < 1e6:
        raise argparse.ArgumentTypeError(f'{text!r}: expected a number of minutes above 0')
    return minutes


class _WidthAndHeight(argparse.Action):
    """One or two numbers as a width and a height."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if len(values) > 2:
            parser.error(f'{option_string}: expected a width and a height, or one number for both')
        setattr(namespace, self.dest, (values[0], values[-1]))


class _KeyValues(argparse.Action):
    """mmengine's reading of KEY=VALUE, with argparse's kind of error."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[str] | None,
        option_string: str | None = None,
    ) -> None:
        pairs = [values] if isinstance(values, str) else list(values or [])
        for pair in pairs:
            if '=' not in pair:
                parser.error(f'{option_string} {pair}: expected KEY=VALUE')
        from mmengine.config import DictAction  # late: it takes longer than --help

        DictAction(self.option_strings, self.dest)(parser, namespace, pairs, option_string)
