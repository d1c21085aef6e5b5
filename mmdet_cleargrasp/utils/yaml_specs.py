"""Reading YAML files that say what is to be done, strictly: nothing unknown, nothing ignored."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import ConfigError


class SpecError(ConfigError):
    """A spec that cannot be read, or says something that cannot be done."""


def read_yaml(path: str | Path) -> Any:
    """Content of a YAML file.

    Args:
        path: The file.

    Raises:
        SpecError: It cannot be read, or is no YAML.
    """
    try:
        text = Path(path).read_text(encoding='utf-8')
    except OSError as error:
        raise SpecError(f'cannot read the spec {path}: {error.strerror}') from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError(f'{path} is not valid YAML: {error}') from error


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
