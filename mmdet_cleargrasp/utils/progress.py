"""The progress bar of the command lines, with elapsed and remaining time."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def progress_bar() -> Progress:
    """Create a progress bar on standard error, to be used in a ``with`` statement.

    It prints nothing if standard error is not a terminal.

    Example:
        >>> with progress_bar() as bar:
        ...     sum(bar.track(range(3), description='images'))
        3
    """
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('left'),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
