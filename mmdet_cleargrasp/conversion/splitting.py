"""Parting images into training, validation and test, with what belongs together kept together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from ..datasets.layout import lot
from ..utils.errors import ConfigError, DataError
from .source import Picture

#: A word for --group-by in place of an expression.
BY_PARENT = 'parent'


def groups_by(pattern: str | None) -> Callable[[str], str]:
    r"""A function from the name of an image to that of its group.

    Args:
        pattern: A regular expression, of which the first group, or the whole
            match, names the group; ``'parent'`` for the folder; ``None`` for each image on its own.

    Raises:
        ConfigError: No valid expression.

    Example:
        >>> groups_by(r'plate(\d+)')('day1/plate07_b.jpg'), groups_by('parent')('day1/a.jpg')
        ('07', 'day1')
    """
    if pattern is None:
        return lambda name: name
    if pattern == BY_PARENT:
        return lambda name: name.rpartition('/')[0]
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f'--group-by {pattern}: no valid expression ({error})') from error

    def group(name: str) -> str:
        match = expression.search(name)
        # What the expression does not know is a group of its own.
        return (match[1] if expression.groups else match[0]) or name if match else name

    return group


def part(
    pictures: Iterable[tuple[str, Picture]],
    group_by: str | None = None,
    val: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
) -> dict[str, str]:
    """Give every image a split; images of one group share theirs.

    A group's split follows from its name and the seed alone, so that none changes sides when
    others are added. Every split gets at least one group with boxes.

    Args:
        pictures: With the names of their files.
        group_by: As in :func:`groups_by`.
        val: Share of the groups for validation, on average; 0 for none.
        test: Share for the test, likewise.
        seed: The same seed gives the same parts.

    Returns:
        ``'train'``, ``'val'`` or ``'test'`` by file name.

    Raises:
        ConfigError: Shares that leave nothing to train on, or an expression that matches nothing.
        DataError: Fewer groups with boxes than splits.
    """
    shares = {'test': test, 'val': val}
    if not all(0 <= share < 1 for share in shares.values()) or val + test >= 1:
        raise ConfigError(f'--val {val:g} --test {test:g}: expected shares from 0 to less than 1, '
                          'with some left to train on')  # fmt: skip
    group, members, with_boxes = groups_by(group_by), defaultdict(list), set()
    for name, picture in pictures:
        members[group(name)].append(name)
        if picture.boxes:
            with_boxes.add(group(name))
    images = sum(map(len, members.values()))
    if group_by and group_by != BY_PARENT and len(members) == images and images > 1:
        raise ConfigError(
            f'--group-by {group_by}: puts no two of the {images} images together; the first is '
            f'{next(iter(members.values()))[0]}'
        )
    lots = {name: lot(name, seed) for name in members}
    chosen = {name: _split(value, shares) for name, value in lots.items()}
    _give_each_one(chosen, sorted(with_boxes, key=lots.__getitem__), shares)
    return {name: chosen[key] for key, names in members.items() for name in names}


def _split(value: float, shares: dict[str, float]) -> str:
    for split, share in shares.items():
        if value < share:
            return split
        value -= share
    return 'train'


def _give_each_one(chosen: dict[str, str], ranked: list[str], shares: dict[str, float]) -> None:
    """Move groups with boxes so that every split that is wanted has one."""
    wanted = [split for split, share in shares.items() if share] + ['train']
    if len(ranked) < len(wanted):
        raise DataError(
            f'{len(ranked)} group(s) of images with boxes cannot be parted into '
            f'{", ".join(wanted)}: add images, or set --val and --test to 0'
        )
    for split in wanted:
        if any(chosen[name] == split for name in ranked):
            continue
        counts = {name: sum(chosen[o] == chosen[name] for o in ranked) for name in ranked}
        # From a split that keeps others; the last lots are training's.
        order = reversed(ranked) if split == 'train' else ranked
        chosen[next(name for name in order if counts[name] > 1)] = split
