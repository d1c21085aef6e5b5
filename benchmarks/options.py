"""Options of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: What can be measured: a training step, a prediction of an image in memory, predictions of image
#: files, an epoch, a backbone's forward pass, peak memory, and the start-up of commands.
WORKS = ('train step', 'predict', 'predict files', 'epoch', 'backbone', 'memory', 'start-up')


@dataclass(frozen=True)
class Options:
    """Options of the benchmark.

    Attributes:
        data_root: Dataset with ``annotations/train.json`` in COCO format.
        groups: Names of groups, keys of :data:`.GROUPS`.
        works: What is measured, some of :data:`WORKS`.
        size: Side of the images in pixels.
        batch_size: Images per step.
        rounds: Number of measured rounds; at most two for epochs.
        files: Number of image files of a prediction and of an epoch.
        workers: Number of data loading processes of an epoch.
        threads: Number of PyTorch's threads.
        device: Device of all systems, such as ``'cpu'`` or ``'cuda:0'``.
        seed: Random seed of heads and image order.
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
        """Number of measured rounds of a work."""
        return min(self.rounds, 2) if work == 'epoch' else self.rounds

    def images_of(self, work: str) -> int:
        """Number of images in a round of a work."""
        if work == 'predict':
            return 1
        return self.files if work in ('predict files', 'epoch') else self.batch_size
