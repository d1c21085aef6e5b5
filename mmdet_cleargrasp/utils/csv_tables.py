"""Write CSV tables that are safe to open in a spreadsheet, with any text in their cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .atomic_files import open_atomically

#: Positions at which a spreadsheet may read a formula: before an ASCII or full-width =, +, - or @,
#: at the start of a cell or after a separator that some spreadsheets split cells at. Spaces and
#: invisible characters may precede it.
FORMULA = re.compile(
    '(^|[;,|\t\r\n])(?=[\\s\\x00-\x1f\u00ad\u2060\ufeff\u200b-\u200f]*[=+\\-@\uff1d\uff0b\uff0d\uff20])'
)

#: Text that is a number, which is written as it is.
NUMBER = re.compile(r'[+-]?\d+(\.\d*)?(e[+-]?\d+)?')


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    r"""Write a CSV table with a header row, atomically.

    The file begins with a byte order mark, from which spreadsheets recognize UTF-8. Bytes of file
    names that are not UTF-8 are escaped as in JSON, such as ``\udce4``. Text that a spreadsheet
    would run as a formula is escaped by :func:`without_formulas`.

    Args:
        path: File to write.
        columns: Column names, in the order of the table.
        rows: Values by column name.

    Returns:
        Path of the file.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = write_csv(Path(folder) / 'a.csv', ['image'], [{'image': '=1+1'}])
        ...     table.read_text(encoding='utf-8-sig').split()
        ['image', "'=1+1"]
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
        value: Value of a cell. Only text that is not a number is changed.

    Example:
        >>> [without_formulas(value) for value in ('=1+1', ' @x', 'a-b', '-1.5', -1.5)]
        ["'=1+1", "' @x", 'a-b', '-1.5', -1.5]
    """
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    return FORMULA.sub(r"\1'", value)
