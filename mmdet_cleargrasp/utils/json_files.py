"""Reading JSON files that this project wrote, and that may have been damaged since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import DataError
from .text_files import read_regular_file


def read_json_object(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be opened, is not JSON, or holds another kind of value.
    """
    try:
        content = json.loads(read_regular_file(path))
    except OSError as error:
        raise DataError(f'{path} cannot be opened: {error.strerror}') from error
    except (ValueError, RecursionError) as error:
        raise DataError(f'{path} is not valid JSON: {error}. Remove it to redo') from error
    if not isinstance(content, dict):
        raise DataError(f'{path} holds a {type(content).__name__}, expected an object')
    return content


def read_json_if_whole(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that a run can do without.

    Args:
        path: The file.

    Returns:
        Its object; empty where the file is missing or damaged.
    """
    try:
        return read_json_object(path)
    except DataError:
        return {}
