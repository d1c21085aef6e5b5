"""Reading YAML files that say what is to be done, strictly: nothing unknown, nothing ignored."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import ConfigError
from .text_files import read_regular_file

#: Aliases let a few hundred bytes stand for more values than memory holds.
MOST_VALUES = 100_000


class SpecError(ConfigError):
    """A spec that cannot be read, or says something that cannot be done."""


def read_yaml(path: str | Path) -> Any:
    """Content of a YAML file.

    Args:
        path: The file.

    Raises:
        SpecError: It cannot be read, or is not YAML.
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
    """The value, which has to be a mapping.

    Args:
        value: As YAML holds it.
        where: Its place in the file, for the message.

    Raises:
        SpecError: Something else.
    """
    if not isinstance(value, Mapping):
        raise SpecError(f'{where} is {value!r}, expected names with values')
    return value


def expect_known(values: Mapping[Any, Any], known: Collection[Any], where: str) -> None:
    """Refuse keys that would be ignored.

    Args:
        values: As YAML holds it.
        known: The keys that there are.
        where: Its place in the file, for the message.

    Raises:
        SpecError: A key that is not among them; the message names the closest.

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
    """The value, which has to be a number.

    Args:
        value: As YAML holds it.
        where: Its place in the file, for the message.
        whole: Only a whole number will do.

    Raises:
        SpecError: Something else.
    """
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise SpecError(f'{where} is {value!r}, expected a {"whole " if whole else ""}number')
    return value


def _count(value: Any, limit: int) -> int:
    """Number of values within one, counted no further than beyond a limit."""
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
