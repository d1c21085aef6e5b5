"""Results of a check: ok, warning or error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
