"""Results of the checks before a run: ok, warning or error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

#: Maximum number of examples in a message.
EXAMPLES = 3
#: Maximum length of an example, in characters.
LONGEST = 80


@dataclass(frozen=True)
class Finding:
    """One result of a check.

    Attributes:
        level: ``'ok'``, ``'warning'`` or ``'error'``. A run is not started if there is an error.
        subject: What was checked, such as ``'train data'``.
        text: What was found and, unless it is ok, what was expected and what to do.

    Example:
        >>> warning('train data', '3 images have no box')
        Finding(level='warning', subject='train data', text='3 images have no box')
    """

    level: Literal['ok', 'warning', 'error']
    subject: str
    text: str


def ok(subject: str, text: str) -> Finding:
    """Create a finding of level ``'ok'``.

    Args:
        subject: What was checked.
        text: What was found.
    """
    return Finding('ok', subject, text)


def warning(subject: str, text: str) -> Finding:
    """Create a finding of level ``'warning'``, for a possible mistake.

    Args:
        subject: What was checked.
        text: What was found, what was expected and what to do.
    """
    return Finding('warning', subject, text)


def error(subject: str, text: str) -> Finding:
    """Create a finding of level ``'error'``, for a mistake that prevents the run.

    Args:
        subject: What was checked.
        text: What was found, what was expected and what to do.
    """
    return Finding('error', subject, text)


def examples(items: Iterable[Any]) -> str:
    """List the first items for a message, and the number of further ones.

    Args:
        items: Items such as ids or names, shown by their ``repr``.

    Example:
        >>> examples(range(5))
        '0, 1, 2 and 2 more'
    """
    items = list(items)
    shown = ', '.join(repr(item)[:LONGEST] for item in items[:EXAMPLES])
    return shown + (f' and {len(items) - EXAMPLES} more' if len(items) > EXAMPLES else '')
