"""Options of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WORKS = ('train step', 'predict', 'predict files', 'epoch', 'backbone', 'memory', 'start-up')


@dataclass(frozen=True)
class Options:
    """What is measured, and how.

    Attributes:
        data_root: COCO-format data with ``annotations/train.json``.
        groups: Of :data:`.GROUPS`.
        works: Of :data:`WORKS`.
        size: Side of the images in pixels.
        batch_size: Images per step.
        rounds: That count; of an epoch, two at most.
        files: Image files that are predicted, and trained on in an epoch.
        workers: Processes that read in an epoch.
        threads: Of torch, for all systems.
        device: Such as ``'cpu'`` or ``'cuda:0'``.
        seed: Of heads and order.
    """

    data_root: Path
    groups: tuple[str, ...]
    works: tuple[str, ...]
    size: int
    batch_size: int
    rounds: int
    files: int
    workers: int
    threads: int
    device: str
    seed: int

    def rounds_of(self, work: str) -> int:
        """How many rounds of a work count."""
        return min(self.rounds, 2) if work == 'epoch' else self.rounds
