"""CSV tables that are safe to open in spreadsheets and scripts, with any file names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .atomic_files import open_atomically

#: What begins a formula in a spreadsheet: at the start of a cell, or after what some spreadsheets
#: split cells at, with blanks between them or not; wide forms count as the plain ones.
FORMULA = re.compile(
    '(^|[;,|\t\r\n])(?=[\\s\\x00-\x1f\u00ad\u2060\ufeff\u200b-\u200f]*[=+\\-@\uff1d\uff0b\uff0d\uff20])'
)

NUMBER = re.compile(r'[+-]?\d+(\.\d*)?(e[+-]?\d+)?')


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    r"""Write a table with a heading.

    The file begins with a byte order mark, by which spreadsheets recognize UTF-8. Bytes of file
    names that are no UTF-8 are written as in JSON, such as ``\udce4``.

    Args:
        path: The file; written whole or not at all.
        columns: The heading.
        rows: Values by column.

    Returns:
        The file.
    """
    with open_atomically(path) as file:
        stream = io.TextIOWrapper(file, 'utf-8-sig', 'backslashreplace', newline='')
        table = csv.writer(stream)
        table.writerow([without_formulas(name) for name in columns])
        table.writerows([without_formulas(row[name]) for name in columns] for row in rows)
        stream.flush()
        stream.detach()  # the file is closed by its owner
    return path


def without_formulas(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run as a formula.

    Args:
        value: Of a cell; only text is changed.

    Example:
        >>> without_formulas('=1+1'), without_formulas(' @x'), without_formulas('a-b'), -1.5
        ("'=1+1", "' @x", 'a-b', -1.5)
    """
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    return FORMULA.sub(r"\1'", value)
