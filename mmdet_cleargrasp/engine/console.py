"""Console output of a run; the log file has everything.

mmengine logs its environment, its whole config and its hooks before the first epoch, pycocotools
prints its tables, and libraries warn of what a user cannot change.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

PACKAGE = str(Path(__file__).resolve().parents[1])


class ConsoleFilter(logging.Filter):
    """Lets errors pass, and warnings of this package.

    Example:
        >>> record = logging.LogRecord('a', logging.WARNING, '/lib/mmengine/a.py', 1, 'x', (), None)
        >>> ConsoleFilter().filter(record)
        False
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown.

        Args:
            record: Of the log.
        """
        ours = record.levelno >= logging.WARNING and record.pathname.startswith(PACKAGE)
        return ours or record.levelno >= logging.ERROR


def quiet_logger(logger: logging.Logger) -> None:
    """Keep a logger's records off the console, but for :class:`ConsoleFilter`.

    Args:
        logger: Its files still get all.
    """
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(ConsoleFilter())


@contextlib.contextmanager
def quiet(logger: logging.Logger | None = None, *, verbose: bool = False) -> Iterator[TextIO]:
    """Redirect the output and warnings of libraries to the log.

    Args:
        logger: Of the run; without one, as before it is built, only warnings are dropped.
        verbose: Change nothing.

    Yields:
        The console.
    """
    console = sys.stdout
    if verbose:
        yield console
        return
    with warnings.catch_warnings(), contextlib.ExitStack() as stack:
        if logger is None:
            warnings.simplefilter('ignore')
        else:
            stack.enter_context(contextlib.redirect_stdout(_LogWriter(logger)))
            warnings.showwarning = lambda text, kind, *_, **__: logger.info(
                '%s: %s', kind.__name__, text
            )
        yield console


def duration(seconds: float) -> str:
    """A length of time for people.

    Args:
        seconds: From 0 on.

    Example:
        >>> duration(45), duration(750), duration(9000)
        ('45 s', '12 min', '2.5 h')
    """
    if seconds < 90:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 5400 else f'{seconds / 3600:.1f} h'


class _LogWriter(io.TextIOBase):
    """A stream whose lines go to a log."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger, self._line = logger, ''

    def write(self, text: str) -> int:
        """Log the lines that are complete.

        Args:
            text: What is printed.
        """
        *lines, self._line = (self._line + text).split('\n')
        for line in filter(str.strip, lines):
            self._logger.info(line)
        return len(text)
