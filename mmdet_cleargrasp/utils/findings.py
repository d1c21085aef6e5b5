"""Results of a check: ok, warning or error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

#: How many examples a message names.
EXAMPLES = 3
#: Characters of an example that are shown.
LONGEST = 80


@dataclass(frozen=True)
class Finding:
    """One result of a check.

    Attributes:
        level: ``'ok'``, ``'warning'`` or ``'error'``; an error is in the way of a run.
        subject: What was checked, such as ``'train data'``.
        text: What was found, and for the others what was expected and what to do.
    """

    level: Literal['ok', 'warning', 'error']
    subject: str
    text: str


def ok(subject: str, text: str) -> Finding:
    """A finding that all is well."""
    return Finding('ok', subject, text)


def warning(subject: str, text: str) -> Finding:
    """A finding that is doubtful but lets a run go on."""
    return Finding('warning', subject, text)


def error(subject: str, text: str) -> Finding:
    """A finding that is in the way of a run."""
    return Finding('error', subject, text)


def examples(items: Iterable[Any]) -> str:
    """The first items for a message, and how many more there are.

    Args:
        items: Ids, names and the like.

    Example:
        >>> examples(range(5))
        '0, 1, 2 and 2 more'
    """
    items = list(items)
    shown = ', '.join(repr(item)[:LONGEST] for item in items[:EXAMPLES])
    return shown + (f' and {len(items) - EXAMPLES} more' if len(items) > EXAMPLES else '')
