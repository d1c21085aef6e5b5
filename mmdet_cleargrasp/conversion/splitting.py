"""Splitting images into training, validation and test; groups stay together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..datasets.groups import BY_PARENT, SERIES_PATTERN, describe_series, find_series, groups_by
from ..datasets.random_split import lot
from ..datasets.split_names import SPLITS, split_of
from ..utils.errors import ConfigError, DataError
from .labels import Picture
from .options import ConversionOptions
from .source import Source


def assign_splits(
    source: Source, pictures: dict[str, Picture], options: ConversionOptions
) -> dict[str, str]:
    """Assign every image to a split: the source's if it has splits, otherwise at random.

    Args:
        source: Receives notes, and images that are in none of its splits.
        pictures: By file name; images that are in none of the splits are removed.
        options: Of the conversion.

    Returns:
        ``'train'``, ``'val'`` or ``'test'`` by file name.

    Raises:
        ConfigError: Invalid options.
        DataError: Too few images with boxes.
    """
    _check_mapping(pictures, options.splits)
    told = {
        file: options.splits.get(picture.split or '') or split_of(picture.split or '')
        for file, picture in pictures.items()
    }
    names = {split for split in told.values() if split}
    again = options.resplit or options.group_by is not None
    if 'train' in names and len(names) > 1 and not again:
        return _kept(source, pictures, told)
    if not again:
        source.notes += _unused_splits_note(pictures, names)
    if options.group_by is None:
        source.notes += _series_note(pictures)
    try:
        return split_at_random(
            pictures.items(), options.group_by, options.val, options.test, options.seed
        )
    except DataError as error:
        left_out = source.reasons()
        raise DataError(f'{error}' + (f'. Skipped:\n{left_out}' if left_out else '')) from error


def _unused_splits_note(pictures: Mapping[str, Picture], known: set[str]) -> list[str]:
    named = {picture.split for picture in pictures.values() if picture.split}
    if named and not known:
        return [
            f"the source's own splits ({', '.join(sorted(named))}) are not named train, val or "
            f'test, so that images were split at random; --splits {min(named)}=train ... keeps them'
        ]
    if known and known != {'train'}:
        return [
            f'the source has {" and ".join(sorted(known))}, but nothing to train on: all images '
            'were split at random'
        ]
    return []


def _check_mapping(pictures: Mapping[str, Picture], mapping: Mapping[str, str]) -> None:
    named = {picture.split for picture in pictures.values() if picture.split}
    for old, new in mapping.items():
        if new not in SPLITS:
            raise ConfigError(f'--splits {old}={new}: expected one of {", ".join(SPLITS)}')
        if old not in named:
            raise ConfigError(
                f'--splits {old}={new}: the source has no split {old!r}, only '
                f'{", ".join(sorted(named)) or "none"}'
            )


def _kept(
    source: Source, pictures: dict[str, Picture], told: Mapping[str, str | None]
) -> dict[str, str]:
    source.notes.append(
        "the source's own splits were kept; --resplit or --group-by splits the images again"
    )
    for file in [file for file, split in told.items() if split is None]:
        source.skip_image(pictures[file].path, 'in none of the splits', pictures[file].split or '')
        del pictures[file]
    splits = {file: split for file in pictures if (split := told[file])}
    for split in sorted(set(splits.values())):
        if not any(pictures[file].boxes for file in splits if splits[file] == split):
            source.notes.append(f'warning: {split} has no box: nothing can be trained or scored')
    return splits


def _series_note(pictures: Mapping[str, Picture]) -> list[str]:
    """A suggestion if names look like series of photographs."""
    series = find_series(pictures)
    return [describe_series(series, f"--group-by '{SERIES_PATTERN}'")] if series else []


def split_at_random(
    pictures: Iterable[tuple[str, Picture]],
    group_by: str | None = None,
    val: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
) -> dict[str, str]:
    """Assign every image to a split; images of one group are in the same split.

    A group's split follows from its name and the seed alone, so that none changes its split when
    others are added. Every split gets at least one group with boxes.

    Args:
        pictures: With the names of their files.
        group_by: As in :func:`groups_by`.
        val: Share of the groups for validation, on average; 0 for none.
        test: Share of the groups for the test, on average; 0 for none.
        seed: The same seed gives the same splits.

    Returns:
        ``'train'``, ``'val'`` or ``'test'`` by file name.

    Raises:
        ConfigError: Shares that leave no training images, or an expression that matches nothing.
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
            f'--group-by {group_by}: gives each of the {images} images a group of its own, '
            f'the first {next(iter(members.values()))[0]}'
        )
    lots = {name: lot(name, seed) for name in members}
    chosen = {name: _split(value, shares) for name, value in lots.items()}
    what = 'image(s)' if group_by is None else 'group(s) of images'
    _give_each_one(chosen, sorted(with_boxes, key=lots.__getitem__), shares, what)
    return {name: chosen[key] for key, names in members.items() for name in names}


def _split(value: float, shares: dict[str, float]) -> str:
    for split, share in shares.items():
        if value < share:
            return split
        value -= share
    return 'train'


def _give_each_one(
    chosen: dict[str, str], ranked: list[str], shares: dict[str, float], what: str
) -> None:
    """Move groups with boxes so that every requested split has one."""
    wanted = [split for split, share in shares.items() if share] + ['train']
    if len(ranked) < len(wanted):
        raise DataError(
            f'{len(ranked)} {what} with boxes cannot be split into {" and ".join(wanted[::-1])}, '
            'each of which needs one: annotate more images, or set --val and --test to 0'
        )
    for split in wanted:
        if any(chosen[name] == split for name in ranked):
            continue
        counts = {name: sum(chosen[o] == chosen[name] for o in ranked) for name in ranked}
        # From a split that keeps others; training has the last ones.
        order = reversed(ranked) if split == 'train' else ranked
        chosen[next(name for name in order if counts[name] > 1)] = split
