"""Groups of images of the same plate, by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..utils.errors import ConfigError

#: Value of --group-by instead of an expression.
BY_PARENT = 'parent'
#: Ends of names that number the pictures of a series: ``plate07_b``, ``plate07 (2)``.
SERIES_PATTERN = r'([^/]*[A-Za-z][^/]*?)[-_ .(]+(?:[a-z]|\d{1,3})\)?\.\w+$'
#: Fewer series than this are considered a coincidence.
MIN_SERIES = 3


def find_series(files: Iterable[str]) -> dict[str, list[str]]:
    """Find names that look like series of photographs of the same things.

    Args:
        files: Names of images.

    Returns:
        Files by series, for series of several images; none if most images are in no series.

    Example:
        >>> find_series(f'dish0{k}_{letter}.jpg' for k in range(3) for letter in 'ab')['dish01']
        ['dish01_a.jpg', 'dish01_b.jpg']
    """
    files = list(files)
    series: dict[str, list[str]] = defaultdict(list)
    for file in files:
        found = re.search(SERIES_PATTERN, file.rpartition('/')[2])
        if found:
            series[found[1]].append(file)
    several = {name: members for name, members in series.items() if len(members) > 1}
    grouped = sum(len(members) for members in several.values())
    return several if len(several) >= MIN_SERIES and grouped >= len(files) / 2 else {}


def describe_series(series: Mapping[str, Sequence[str]], remedy: str) -> str:
    """A warning that photographs of the same plate may get into several splits.

    Args:
        series: From :func:`find_series`.
        remedy: The option that keeps a series together.

    Example:
        >>> describe_series({'dish01': ['dish01_a.jpg', 'dish01_b.jpg']}, '--group-by')
        'names look like 1 series (dish01_a.jpg, dish01_b.jpg). If a series shows the same plate ...
    """
    first = next(iter(series.values()))
    return (
        f'names look like {len(series)} series ({first[0]}, {first[1]}). If a series shows the '
        'same plate and is split between training and validation or test, metrics are too high '
        f'(data leakage): {remedy} keeps every series in one split'
    )


def groups_by(pattern: str | None) -> Callable[[str], str]:
    r"""A function that returns the group of an image name.

    Args:
        pattern: A regular expression whose first group, or whole match, is the group's name;
            ``'parent'`` for the folder; ``None`` for one group per image.

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
        raise ConfigError(f'group-by {pattern!r}: not a regular expression ({error})') from error

    def group(name: str) -> str:
        match = expression.search(name)
        # An image whose name does not match is its own group.
        return (match[1] if expression.groups else match[0]) or name if match else name

    return group
