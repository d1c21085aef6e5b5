"""Strict reading of YAML: unknown names and wrong types are errors that name the place."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

MOST_VALUES = 100_000
"""Limit on the number of values: with aliases a small file can expand beyond memory."""


class SpecError(ValueError):
    """A spec cannot be read or has an invalid value."""


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file.

    Args:
        path: The file.

    Raises:
        SpecError: If the file cannot be read, is not valid YAML or has too many values.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise SpecError(f'cannot read the spec {path}: it is not a regular file')
    try:
        text = Path(path).read_text(encoding='utf-8')
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


def expect_mapping(value: Any, known: Collection[Any] | None, where: str) -> Mapping[Any, Any]:
    """Check that a value is a mapping with known names, and return it.

    Args:
        value: Value from a YAML file.
        known: Allowed names; None for any.
        where: Place of the value, for the message.

    Raises:
        SpecError: If it is not a mapping or has an unknown name; the message suggests the closest.

    Example:
        >>> expect_mapping({'imges': 3}, {'images'}, 'mine.yaml')
        Traceback (most recent call last):
            ...
        plate_renderer.scene.yaml_values.SpecError: mine.yaml has no `imges`: did you mean `images`?
    """
    if not isinstance(value, Mapping):
        raise SpecError(f'{where} is {value!r}, expected a mapping of names to values')
    for key in value:
        if known is not None and key not in known:
            names = sorted(str(name) for name in known)
            close = difflib.get_close_matches(str(key), names, n=1)
            hint = f'did you mean `{close[0]}`?' if close else f'expected one of {", ".join(names)}'
            raise SpecError(f'{where} has no `{key}`: {hint}')
    return value


def expect_number(value: Any, where: str, whole: bool = False) -> float:
    """Check that a value is a number, and return it.

    Args:
        value: Value from a YAML file.
        where: Place of the value, for the message.
        whole: Whether it has to be a whole number.

    Raises:
        SpecError: If it is not a number of this type.

    Example:
        >>> expect_number(3, 'mine.yaml: seed', whole=True)
        3
    """
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise SpecError(f'{where} is {value!r}, expected a {"whole " if whole else ""}number')
    return value


def _count(value: Any, limit: int) -> int:
    """Count the values nested in a value, stopping above a limit."""
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
