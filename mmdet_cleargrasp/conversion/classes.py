"""Renaming, merging and dropping classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..utils.errors import ConfigError


def new_names(listed: Sequence[str], wishes: Iterable[str]) -> dict[str, str]:
    """The new names of the classes that are kept.

    Args:
        listed: Class names of the source.
        wishes: As in :attr:`.ConversionOptions.classes`.

    Raises:
        ConfigError: A class that the source doesn't have, or none that is kept.

    Example:
        >>> new_names(['dish', 'lid', 'tip'], ['dish=petri_dish', 'tip='])
        {'dish': 'petri_dish', 'lid': 'lid'}
        >>> new_names(['dish', 'lid', 'tip'], ['lid'])
        {'lid': 'lid'}
    """
    renamed: dict[str, str] = {}
    kept = set()
    for wish in wishes:
        old, new = _parse(wish, listed)
        renamed[old] = new
        kept |= {old} if '=' not in wish or wish == old else set()
    names = {
        name: renamed.get(name, name)
        for name in listed
        if renamed.get(name, name) and (not kept or name in renamed)
    }
    if listed and not names:
        raise ConfigError(f'--classes drops every class: {", ".join(listed)}')
    return names


def _parse(wish: str, listed: Sequence[str]) -> tuple[str, str]:
    """Old and new name; a name may have an equals sign in itself."""
    if wish in listed:
        return wish, wish
    for place in (k for k, letter in enumerate(wish) if letter == '='):
        if wish[:place] in listed:
            return wish[:place], wish[place + 1 :].strip()
    raise ConfigError(
        f'--classes {wish}: no class {wish.partition("=")[0]!r}; there are '
        f'{", ".join(listed) or "none"}'
    )
