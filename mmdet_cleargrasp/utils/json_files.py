"""Read JSON files that this project wrote, and that may be damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import DataError
from .regular_files import read_regular_file


def read_json_object(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Args:
        path: File to read.

    Raises:
        DataError: The file cannot be opened, is not JSON, or holds something other than an object.

    Example:
        >>> read_json_object('absent.json')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.DataError: absent.json cannot be opened: No such file or ...
    """
    try:
        content = json.loads(read_regular_file(path))
    except OSError as error:
        raise DataError(f'{path} cannot be opened: {error.strerror}') from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f'{path} is not valid JSON: {error}. Remove the file to write it again'
        ) from error
    if not isinstance(content, dict):
        raise DataError(f'{path} holds a {type(content).__name__}, expected an object')
    return content


def read_json_if_whole(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that is optional.

    Args:
        path: File to read.

    Returns:
        The object in the file; empty if the file is missing or damaged.

    Example:
        >>> read_json_if_whole('absent.json')
        {}
    """
    try:
        return read_json_object(path)
    except DataError:
        return {}
