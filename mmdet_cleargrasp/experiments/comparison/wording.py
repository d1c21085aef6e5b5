"""Sentences on what the data show, and on what they do not show."""

from __future__ import annotations

from collections.abc import Sequence

from .comparing import Difference

#: Below it, an interval over images is to be taken with care.
FEW_IMAGES = 30


def describe_difference(difference: Difference, test: str) -> str:
    """Describe one difference in a sentence or two.

    Args:
        difference: Of an arm to the reference.
        test: Name of the test set.

    Returns:
        Whether the data show a difference, how large, from how many images and seeds.
    """
    d, interval = difference, difference.interval
    low, high = signed(interval.low), signed(interval.high)
    amount = f'{signed(interval.estimate)}, 95 % interval {low} to {high}'
    basis = f'{amount}; {count(d.images, "image")}, {_seeds(d)}'
    if interval.low == interval.high == 0:
        return f'{d.arm} and {d.reference} have the same {d.figure} on {test}, on every resampling.'
    if not interval.over_seeds:
        subject = f'the trained models at hand, {d.arm} and {d.reference},'
        caution = ' One seed each does not say how other seeds would come out.'
    else:
        subject, caution = f'{d.arm} and {d.reference}', ''
    if interval.covers_zero:
        return (
            f'The data do not show a difference in {d.figure} between {subject} on {test} '
            f'({basis}). That does not make them equal: any difference within the interval '
            f'remains possible.{caution}'
        )
    higher = 'higher' if interval.estimate > 0 else 'lower'
    if interval.over_seeds:
        return (
            f'{d.arm} has a {higher} {d.figure} than {d.reference} on {test}: the data show a '
            f'difference ({basis}).'
        )
    return f'Of {subject} the first has the {higher} {d.figure} on {test} ({basis}).{caution}'


def cautions(differences: Sequence[Difference], intervals: int) -> list[str]:
    """Cautions for the sentences of :func:`describe_difference`.

    Args:
        differences: Those that have a sentence.
        intervals: Number of all differences that are compared, those in tables too.
    """
    found = []
    if differences and differences[0].images < FEW_IMAGES:
        found.append(
            f'{differences[0].images} test images are few: an interval from so few contains the '
            'true value somewhat less often than 95 % of the time.'
        )
    if intervals > 1:
        found.append(
            f'{intervals} differences are compared, by test set, figure, arm and part of the '
            f'training images, {len(differences)} of them in sentences: even if no arm differed '
            f'from the reference, {0.05 * intervals:.2g} of their intervals would be expected to '
            'exclude 0 by chance.'
        )
    return found


def signed(value: float) -> str:
    """A difference, with a minus of the width of a plus.

    Example:
        >>> signed(0.0312), signed(-0.2)
        ('+0.031', '−0.200')
    """
    return f'{value:+.3f}'.replace('-', '−')


def count(number: int, thing: str) -> str:
    """A number and its noun.

    Example:
        >>> count(1, 'seed'), count(3, 'seed')
        ('1 seed', '3 seeds')
    """
    return f'{number} {thing}{"" if number == 1 else "s"}'


def _seeds(difference: Difference) -> str:
    arm, reference = difference.seeds
    if arm == reference:
        return f'{count(arm, "seed")} each'
    return f'{count(arm, "seed")} and {count(reference, "seed")}'
