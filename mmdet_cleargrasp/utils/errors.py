"""Errors that a person can act on, and how the command lines show them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


class UserError(Exception):
    """A mistake in what the user gave: its text says what was found, expected and to be done.

    The command lines print only the text (see :func:`friendly_exit`); Python callers can catch it.
    """


class CheckpointError(UserError):
    """A checkpoint that is absent, unreadable, unsafe or made for another network."""


class DataError(UserError):
    """A data set that is absent, malformed or at odds with the configuration."""


class ConfigError(UserError):
    """A configuration or command line that cannot work."""


class TrainingError(UserError):
    """A training that cannot go on."""


@contextlib.contextmanager
def friendly_exit() -> Iterator[None]:
    """Turn a :class:`UserError` into one message and exit status 1, Ctrl-C into 130.

    Example:
        >>> with friendly_exit():
        ...     raise ConfigError('depth 42 is unknown')
        Traceback (most recent call last):
            ...
        SystemExit: 1
    """
    try:
        yield
    except UserError as error:
        # A loader's worker puts its whole traceback before the text.
        text = str(error).split(f'errors.{type(error).__name__}: ')[-1].strip()
        print(f'\nerror: {text}', file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print('\nstopped by the keyboard', file=sys.stderr)
        sys.exit(130)
