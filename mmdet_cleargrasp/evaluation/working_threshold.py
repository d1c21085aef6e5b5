"""The working threshold of a detector: the score threshold with the best F-beta on validation.

It is measured at every validation and stored in the ``meta`` of the best checkpoint, so that it
stays with the file. For the other checkpoints of a run it is in a file beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoints import read_checkpoint
from ..utils.atomic_files import write_json
from ..utils.json_files import read_json_if_whole

#: Score threshold of detectors whose checkpoint has none.
DEFAULT_THRESHOLD = 0.5
#: Key of the figures in a checkpoint's ``meta``.
META_KEY = 'answers'
#: Name of a run's file of the same figures, by checkpoint file name.
THRESHOLDS_FILE = 'working_thresholds.json'


@dataclass(frozen=True)
class WorkingThreshold:
    """A score threshold and where it comes from.

    Attributes:
        value: Between 0 and 1.
        f1: F1 on the validation images; ``None`` where it was not measured.
        beta: Of the F-beta that is best there; see :class:`.PlateCocoMetric`.
    """

    value: float
    f1: float | None = None
    beta: float = 1.0

    @property
    def source(self) -> str:
        """Source of the value, as text."""
        if self.f1 is None:
            return 'default, for the checkpoint has no working threshold'
        best = f'F1 on validation ({self.f1:.2f})'
        if self.beta != 1:
            best = f'F{self.beta:g} on validation (F1 {self.f1:.2f})'
        return f'working threshold of the checkpoint, best {best}'

    def figures(self) -> dict[str, float]:
        """What a checkpoint's ``meta`` holds of it; empty where it was not measured."""
        if self.f1 is None:
            return {}
        beta = {'beta': self.beta} if self.beta != 1 else {}
        return {'threshold': self.value, 'f1': self.f1, **beta}

    def __str__(self) -> str:
        return f'{self.value:.2f} ({self.source})'


def read_working_threshold(checkpoint: str | Path) -> WorkingThreshold:
    """Read the working threshold of a detector.

    Args:
        checkpoint: The detector's file. Where its ``meta`` has no threshold, the file that its run
            wrote beside it is asked.

    Returns:
        :data:`DEFAULT_THRESHOLD` where there is none, as in checkpoints of other programs.

    Raises:
        CheckpointError: The checkpoint cannot be read.
    """
    content = read_checkpoint(checkpoint)
    meta = content.get('meta') if isinstance(content, dict) else None
    return working_threshold(meta or {}, checkpoint)


def working_threshold(meta: Mapping[str, Any], checkpoint: str | Path) -> WorkingThreshold:
    """The working threshold of a detector whose file has been read.

    Args:
        meta: Of the checkpoint.
        checkpoint: As for :func:`read_working_threshold`.
    """
    stored = meta.get(META_KEY) or _read_file(Path(checkpoint))
    try:
        threshold, f1 = float(stored['threshold']), float(stored['f1'])
        beta = float(stored.get('beta', 1))
    except (KeyError, TypeError, ValueError, OverflowError):
        return WorkingThreshold(DEFAULT_THRESHOLD)
    if not (0 <= threshold <= 1 and 0 <= f1 <= 1 and beta > 0):  # NaN too: no score would reach it
        return WorkingThreshold(DEFAULT_THRESHOLD)
    return WorkingThreshold(threshold, f1, beta)


def store_beside(checkpoint: Path, figures: Mapping[str, float]) -> None:
    """Store the threshold of a checkpoint in the file of its folder.

    Args:
        checkpoint: A checkpoint of a run; those that are gone are removed from the file.
        figures: ``threshold``, ``f1`` and others.
    """
    path = checkpoint.parent / THRESHOLDS_FILE
    stored = read_json_if_whole(path)
    stored = {name: row for name, row in stored.items() if (path.parent / name).is_file()}
    write_json(path, {**stored, checkpoint.name: dict(figures)})


def _read_file(checkpoint: Path) -> Any:
    return read_json_if_whole(checkpoint.parent / THRESHOLDS_FILE).get(checkpoint.name)
