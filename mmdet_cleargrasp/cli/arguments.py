"""Options and argument types that several commands share."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: Help of the arguments that select a detector.
RUN_HELP = (
    'a work dir of tools/train.py (its best checkpoint is used), or a config and a checkpoint, or '
    'neither for the detector that comes with the repository'
)
#: Largest accepted integer; larger ones would cause overflow errors where they are used.
LARGEST = 10**9


def new_parser(description: str | None, examples: str) -> argparse.ArgumentParser:
    r"""Create a parser whose help ends with examples.

    Args:
        description: What the command does, usually the docstring of its module.
        examples: Text with command lines that start with ``python tools/TOOL.py``. They are
            rewritten to ``mmdet-cleargrasp TOOL`` if the command was called that way.

    Example:
        >>> parser = new_parser('Train a detector.', 'example:\n  python tools/train.py CONFIG')
        >>> parser.format_help().endswith('python tools/train.py CONFIG\n')
        True
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
    """Return how the user called the command, such as ``python tools/train.py``."""
    return f'python {sys.argv[0]}' if sys.argv[0].endswith('.py') else sys.argv[0]


def at_least(minimum: int) -> Callable[[str], int]:
    """Create an argument type: an integer between a minimum and :data:`LARGEST`.

    Args:
        minimum: Smallest accepted value.

    Returns:
        Function that converts the text of an argument. It raises ``argparse.ArgumentTypeError`` if
        the text is not an integer in this range.

    Example:
        >>> at_least(1)('3')
        3
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
        if number > LARGEST:
            raise argparse.ArgumentTypeError(f'{text[:20]}: expected {LARGEST:,} at most')
        return number

    return whole_number


def batch_size(text: str) -> int | str:
    """Argument type: a number of images, or ``auto``.

    Args:
        text: Value on the command line.

    Raises:
        argparse.ArgumentTypeError: The text is neither ``auto`` nor an integer of at least 1.

    Example:
        >>> batch_size('auto'), batch_size('4')
        ('auto', 4)
    """
    return text if text == 'auto' else at_least(1)(text)


def minutes(text: str) -> float:
    """Argument type: a number of minutes above 0.

    Args:
        text: Value on the command line.

    Raises:
        argparse.ArgumentTypeError: The text is not a number above 0.

    Example:
        >>> minutes('0.5')
        0.5
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f'{text!r}: expected a number of minutes above 0')
    return number


def picture_file(text: str) -> Path:
    """Argument type: a ``.png`` or ``.jpg`` file to write.

    Args:
        text: Value on the command line.

    Raises:
        argparse.ArgumentTypeError: The name has another suffix.

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
    """Add ``config``, ``--data-root`` and ``--cfg-options``.

    Args:
        parser: Parser of a command.
    """
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help='folder with your own data in COCO format; classes are read from its annotations and '
        'set everywhere in the config',
    )
    add_cfg_options(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``.

    Args:
        parser: Parser of a command.
    """
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_KeyValues,
        metavar='KEY=VALUE',
        help='override config values, such as train_dataloader.batch_size=4',
    )


def add_scale(parser: argparse.ArgumentParser) -> None:
    """Add ``--scale``.

    Args:
        parser: Parser of a command.
    """
    parser.add_argument(
        '--scale',
        nargs='+',
        type=at_least(1),
        action=_WidthAndHeight,
        metavar=('WIDTH', 'HEIGHT'),
        help="maximum image size in pixels; one number for a square [the config's]",
    )


def add_test_split(parser: argparse.ArgumentParser) -> None:
    """Add ``--test-split``.

    Args:
        parser: Parser of a command.
    """
    parser.add_argument(
        '--test-split',
        metavar='NAME',
        help="test on annotations/NAME.json and the images in NAME/ [the config's]",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run: ``--work-dir``, ``--verbose`` and ``--launcher``.

    Args:
        parser: Parser of a command.
    """
    parser.add_argument('--work-dir', help='folder for all output [work_dirs/CONFIG]')
    parser.add_argument(
        '--verbose', action='store_true', help="print MMEngine's full log [only to its file]"
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training run: its length, ``--amp`` and ``--resume``.

    Args:
        parser: Parser of a command.
    """
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--epochs', type=int, help="number of epochs [the config's]")
    length.add_argument(
        '--max-minutes',
        type=minutes,
        metavar='MINUTES',
        help='train for as many epochs as fit, estimated from the speed of the first steps',
    )
    parser.add_argument(
        '--patience',
        type=at_least(1),
        metavar='N',
        help='stop training after N validations without a new best metric',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision; bfloat16 on a CPU')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from a checkpoint; without a value, from the latest in the work dir',
    )


def add_detector(parser: argparse.ArgumentParser) -> None:
    """Add the options of inference: ``--per-class``, ``--device``, ``--runtime`` and ``--amp``.

    Args:
        parser: Parser of a command.
    """
    parser.add_argument(
        '--per-class',
        action='store_true',
        help='NMS per class: a plate may have boxes of several classes [class-agnostic NMS]',
    )
    parser.add_argument('--device', help='such as cuda:0 or cpu [a GPU if available]')
    add_runtime(
        parser,
        ('auto', 'openvino', 'torch'),
        'auto: OpenVINO if it is installed, there is no GPU and there are many images; otherwise '
        'torch',
    )


def add_runtime(parser: argparse.ArgumentParser, choices: tuple[str, ...], default: str) -> None:
    """Add ``--runtime`` and ``--amp``.

    Args:
        parser: Parser of a command.
        choices: Values of ``--runtime``; the first is the default.
        default: What the default means, for the help.
    """
    parser.add_argument(
        '--runtime',
        choices=choices,
        default=choices[0],
        help=f'what computes the networks [{default}]',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='compute the networks in bfloat16: faster, scores differ slightly',
    )


def set_local_rank(args: argparse.Namespace) -> None:
    """Set the environment variable ``LOCAL_RANK``, which mmengine reads, unless it is set.

    Args:
        args: Parsed options, with those of :func:`add_run`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))


class _WidthAndHeight(argparse.Action):
    """Store one or two numbers as width and height."""

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
    """Parse KEY=VALUE as mmengine's ``DictAction``, with argparse's error messages."""

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
        from mmengine.config import DictAction  # lazy: slow to import

        DictAction(self.option_strings, self.dest)(parser, namespace, pairs, option_string)
