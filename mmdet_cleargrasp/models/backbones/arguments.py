"""Validation of the backbones' constructor arguments."""

from __future__ import annotations


def check_choice(owner: str, name: str, value: object, allowed: bool, expected: str) -> None:
    """Raise an error that names the argument, its value and the expected values.

    Args:
        owner: Class whose argument it is.
        name: Argument name.
        value: Argument value.
        allowed: Whether the value is valid.
        expected: Description of the valid values.

    Raises:
        ValueError: ``allowed`` is false.

    Example:
        >>> depth = 42
        >>> check_choice('ClearGraspResNet', 'depth', depth, depth in (18, 34), 'one of (18, 34)')
        Traceback (most recent call last):
            ...
        ValueError: ClearGraspResNet: depth=42, expected one of (18, 34)
    """
    if not allowed:
        raise ValueError(f'{owner}: {name}={value!r}, expected {expected}')


def is_ascending_choice(indices: list[int], allowed: set[int]) -> bool:
    """Whether ``indices`` is a non-empty, strictly ascending selection from ``allowed``.

    Args:
        indices: Values of an ``out_indices`` argument.
        allowed: Valid indices.

    Returns:
        ``False`` also for an empty list and for repeated indices.

    Example:
        >>> is_ascending_choice([0, 2], {0, 1, 2}), is_ascending_choice([2, 0], {0, 1, 2})
        (True, False)
    """
    return bool(indices) and indices == sorted(set(indices)) and set(indices) <= allowed
