"""Exceptions caused by config values, as one message."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch.distributed import DistError

from ..utils.errors import ConfigError, UserError
from ..utils.text_files import is_digits

#: Exceptions that a value of the wrong type or range causes.
MISTAKES = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
#: Texts of exceptions that the machine causes, not the config.
MACHINE = ('out of memory', 'DefaultCPUAllocator', 'CUDA', 'NCCL')


@contextlib.contextmanager
def as_config_error(what: str) -> Iterator[None]:
    """Turn exceptions caused by config values into ConfigError.

    Args:
        what: What failed, for the message.

    Raises:
        ConfigError: With the type and text of the exception.

    Example:
        >>> with as_config_error('the optimizer cannot be built'):
        ...     raise TypeError("lr is 'abc'")
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.ConfigError: the optimizer cannot be built from the config ...
    """
    try:
        yield
    except (UserError, RecursionError, DistError):
        raise
    except MISTAKES as error:
        if any(text in str(error) for text in MACHINE):
            raise
        text = str(error).strip().strip('"\'')
        raise ConfigError(
            f'{what} from the config ({type(error).__name__}: {text}); compare it with configs/'
        ) from error


def check_option_types(cfg: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Refuse options whose values are of another type than what they replace.

    Args:
        cfg: The config as read.
        options: New values by dotted key.

    Raises:
        ConfigError: Naming the option, its value and what was expected.

    Example:
        >>> check_option_types({'train_cfg': {'max_epochs': 12}}, {'train_cfg.max_epochs': 'many'})
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.ConfigError: --cfg-options train_cfg.max_epochs='many': ...
    """
    for key, value in options.items():
        before = _value(cfg, key.split('.'))
        if not _replaces(value, before):
            shown = repr(before) if len(repr(before)) <= 60 else f'a {type(before).__name__}'
            raise ConfigError(
                f'--cfg-options {key}={value!r}: expected {_expected(before)}, as {shown} in the '
                'config'
            )


def _value(node: Any, path: Sequence[str]) -> Any:
    """The value at a path in a config; ``None`` if there is none."""
    for part in path:
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(node, Sequence) and is_digits(part) and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node


def _replaces(value: Any, before: Any) -> bool:
    """Whether a value may replace another one; lists may stand for single values."""
    if value is None or before is None:
        return True
    if isinstance(before, Mapping):
        return isinstance(value, Mapping | list | tuple)
    if isinstance(before, list | tuple):
        return isinstance(value, list | tuple) or any(_replaces(value, item) for item in before)
    if isinstance(value, list | tuple):
        return not isinstance(before, bool) and all(_replaces(item, before) for item in value)
    if isinstance(before, bool):
        return isinstance(value, bool | int)
    if isinstance(before, int | float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return not isinstance(before, str) or isinstance(value, str)


def _expected(before: Any) -> str:
    kinds = ((bool, 'True or False'), (int | float, 'a number'), (str, 'text'), (Mapping, 'a dict'))
    return next((name for kind, name in kinds if isinstance(before, kind)), 'a list')
