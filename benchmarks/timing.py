"""Timing of several systems in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Timing:
    """Times of a system for a work.

    Attributes:
        group: Name of the group of systems that were timed in turns.
        work: Name of the work.
        system: Name of the system.
        seconds: Duration of each round in seconds.
        ratio: Time relative to the first system of the group: median of the ratios of all rounds.
    """

    group: str
    work: str
    system: str
    seconds: tuple[float, ...]
    ratio: float

    @property
    def median(self) -> float:
        """Median duration of a round in seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half of the range of the rounds' durations, relative to the median."""
        return (max(self.seconds) - min(self.seconds)) / 2 / self.median

    def as_dict(self) -> dict[str, Any]:
        """Convert to a dict for JSON, with median and spread."""
        return {**asdict(self), 'median': self.median, 'spread': self.spread}


def time_in_turns(
    group: str,
    work: str,
    systems: Mapping[str, Callable[[], object]],
    rounds: int,
    device: torch.device,
    tick: Callable[[], None] = lambda: None,
) -> list[Timing]:
    """Time each system once per round, so that changes in the machine's speed affect all of them.

    The first round is a warm-up. Each round starts with another system, so that none always runs
    first, or in the state in which the end of a round left memory and caches.

    Args:
        group: Name of the group.
        work: Name of the work.
        systems: Functions to time, by name; ratios are relative to the first.
        rounds: Number of measured rounds, 1 or more.
        device: Device to synchronize before and after each call.
        tick: Called after each call, for a progress bar.

    Returns:
        The timing of each system, in the order of ``systems``.

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
    """Wait for all work on a device; does nothing for a CPU.

    Args:
        device: The device.
    """
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
