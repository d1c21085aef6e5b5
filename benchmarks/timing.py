"""Timing several systems on the same work, in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Timing:
    """How long one system took for one work.

    Attributes:
        group: The systems that were measured in turns.
        work: What they did.
        system: Which one.
        seconds: Of each round.
        ratio: Median of the rounds' ratios, this system's time over the first one's of the
            group; 1 for the first.
    """

    group: str
    work: str
    system: str
    seconds: tuple[float, ...]
    ratio: float

    @property
    def median(self) -> float:
        """Seconds, the median over the rounds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half of the way from the fastest to the slowest round, over the median."""
        return (max(self.seconds) - min(self.seconds)) / 2 / self.median

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), 'median': self.median, 'spread': self.spread}


def time_in_turns(
    group: str,
    work: str,
    systems: Mapping[str, Callable[[], object]],
    rounds: int,
    device: torch.device,
    tick: Callable[[], None] = lambda: None,
) -> list[Timing]:
    """Let each system do the work once a round, so that whatever slows the machine slows them all.

    A first round is not counted, and each round begins with another system: none always comes
    after the same one, whose memory and caches it would find.

    Args:
        group: Name of the comparison.
        work: Name of the work.
        systems: What to call, by name; ratios are to
            the first.
        rounds: That count, from 1 on.
        device: Is waited for before and after.
        tick: Is called after each call, for a progress bar.

    Example:
        >>> calls = {'short': lambda: sum(range(1000)), 'long': lambda: sum(range(100000))}
        >>> first, second = time_in_turns('sums', 'adding', calls, 3, torch.device('cpu'))
        >>> first.ratio, second.ratio > 5, len(second.seconds)
        (1.0, True, 3)
    """
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    for round_number in range(rounds + 1):
        shift = round_number % len(systems)
        order = list(systems.items())
        for name, call in order[shift:] + order[:shift]:
            taken = _timed(call, device)
            tick()
            if round_number:
                seconds[name].append(taken)
    first = next(iter(seconds.values()))
    return [
        Timing(group, work, name, tuple(own), _ratio(own, first)) for name, own in seconds.items()
    ]


def _ratio(own: list[float], first: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(own, first, strict=True))


def _timed(call: Callable[[], object], device: torch.device) -> float:
    synchronize(device)
    start = time.perf_counter()
    call()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    """Wait until a device has done what it was told to."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
