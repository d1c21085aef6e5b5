"""Read YAML specs strictly: unknown keys and values of a wrong type are errors."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import ConfigError
from .regular_files import read_regular_file

#: Maximum number of values in a spec. With aliases, a few hundred bytes can expand to more values
#: than fit into memory.
MOST_VALUES = 100_000


class SpecError(ConfigError):
    """A spec cannot be read or has an invalid value."""


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file.

    Args:
        path: File to read, in UTF-8.

    Returns:
        Content of the file: a mapping, list or single value.

    Raises:
        SpecError: The file cannot be read, is not YAML, or expands to too many values.
    """
    try:
        text = read_regular_file(path).decode('utf-8')
        content = yaml.safe_load(text)
    except OSError as error:
        raise SpecError(f'cannot read the spec {path}: {error.strerror}') from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise SpecError(f'{path} is not valid YAML: {error}') from error
    except RecursionError:
        raise SpecError(f'{path} is not valid YAML: nested too deeply') from None
    if _count(content, MOST_VALUES) > MOST_VALUES:
        raise SpecError(f'{path} expands to more than {MOST_VALUES:,} values')
    return content


def expect_mapping(value: Any, where: str) -> Mapping[Any, Any]:
    """Return a value if it is a mapping.

    Args:
        value: Value from :func:`read_yaml`.
        where: Its place in the file, for the message.

    Raises:
        SpecError: The value is not a mapping.

    Example:
        >>> expect_mapping({'lr': 0.01}, 'mine.yaml: cfg_options')
        {'lr': 0.01}
    """
    if not isinstance(value, Mapping):
        raise SpecError(f'{where} is {value!r}, expected a mapping of names to values')
    return value


def expect_known(values: Mapping[Any, Any], known: Collection[Any], where: str) -> None:
    """Check that a mapping has no unknown keys.

    Args:
        values: Mapping from :func:`read_yaml`.
        known: Accepted keys.
        where: Its place in the file, for the message.

    Raises:
        SpecError: A key is unknown; the message names the most similar known one.

    Example:
        >>> expect_known({'seads': [0]}, {'seeds', 'arms'}, 'mine.yaml')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.yaml_specs.SpecError: mine.yaml has no `seads`: did you mean `seeds`?
    """
    for key in values:
        if key not in known:
            names = sorted(str(name) for name in known)
            close = difflib.get_close_matches(str(key), names, n=1)
            hint = f'did you mean `{close[0]}`?' if close else f'expected one of {", ".join(names)}'
            raise SpecError(f'{where} has no `{key}`: {hint}')


def expect_number(value: Any, where: str, whole: bool = False) -> float:
    """Return a value if it is a number.

    Args:
        value: Value from :func:`read_yaml`.
        where: Its place in the file, for the message.
        whole: Accept integers only.

    Raises:
        SpecError: The value is not a number, or not an integer where one is required.

    Example:
        >>> expect_number(0.5, 'epochs', whole=True)
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.yaml_specs.SpecError: epochs is 0.5, expected a whole number
    """
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise SpecError(f'{where} is {value!r}, expected a {"whole " if whole else ""}number')
    return value


def _count(value: Any, limit: int) -> int:
    """Count a value and all values in it; stops when the count exceeds a limit."""
    if isinstance(value, Mapping):
        children = [*value, *value.values()]
    else:
        children = list(value) if isinstance(value, list | tuple | set) else []
    count = 1
    for child in children:
        if count > limit:
            break
        count += _count(child, limit - count)
    return count
