"""The logs of a run, resumed or not: losses, learning rates and validation metrics."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..utils.errors import DataError
from ..utils.regular_files import read_regular_file

# Keys of a log line that are positions, not measured values.
POSITION_KEYS = ('step', 'epoch', 'iter')


@dataclass
class RunLog:
    """Logged values of a run, in order.

    Attributes:
        name: The work dir's or the log file's name.
        train: A dict a logged training step, with ``step`` from 1 on and ``epoch``.
        val: A dict a validation, with the epoch as ``step``.
    """

    name: str
    train: list[dict[str, Any]] = field(default_factory=list)
    val: list[dict[str, Any]] = field(default_factory=list)

    def curve(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        """One measured value over the run.

        Args:
            key: As in the log, such as ``'loss_cls'`` or ``'coco/bbox_mAP'``; the part before the
                slash may be left out.

        Returns:
            Steps (for a validation metric, epochs) and values.

        Raises:
            DataError: Nothing of this name was logged; the message lists what was.
        """
        for entries in (self.train, self.val):
            points = [
                (entry['step'], value)
                for entry in entries
                for name, value in entry.items()
                if key in (name, name.split('/')[-1]) and name not in POSITION_KEYS
            ]
            if points:
                steps, values = zip(*points, strict=True)
                return np.array(steps), np.array(values, dtype=float)
        raise DataError(f'{self.name} logged no {key!r}; there are {", ".join(self.names)}')

    @property
    def names(self) -> list[str]:
        """Names of all measured values."""
        names = [name for entry in (*self.train, *self.val) for name in entry]
        return [name for name in dict.fromkeys(names) if name not in POSITION_KEYS]

    def is_validated(self, key: str) -> bool:
        """Whether ``key`` is a validation metric, whose steps are epochs."""
        return any(key in (name, name.split('/')[-1]) for entry in self.val for name in entry) and (
            not any(key in entry for entry in self.train)
        )


def read_run(path: str | Path) -> RunLog:
    """Read the log of a run.

    A resumed run has a log file for each of its starts. A later one continues an epoch that an
    earlier one was stopped in, or replaces what it logged from that epoch on.

    Args:
        path: A work dir, or one JSON log file.

    Raises:
        DataError: No such path, no log in it, or a line that is no JSON.
    """
    path = Path(path)
    if path.is_file():
        files = [path]
    else:
        if path.is_dir():
            os.listdir(path)  # glob returns nothing for folders without permission
        files = sorted(path.glob('*/vis_data/scalars.json')) or sorted(
            path.glob('vis_data/scalars.json')
        )
    if not files:
        found = 'is not there' if not path.exists() else 'holds no log (*/vis_data/scalars.json)'
        raise DataError(f'{path} {found}; expected a work dir of tools/train.py or a .json log')
    # WORK_DIR/START/vis_data/scalars.json
    in_work_dir = path.is_file() and path.parent.name == 'vis_data'
    run = RunLog(path.resolve().parents[2].name if in_work_dir else path.resolve().stem)
    for file in files:
        train, val = _read_lines(file)
        run.train = _continued(run.train, train)
        if train:
            run.val = [e for e in run.val if e['step'] < _position(train[0])]
        # A run that is resumed at the end of an epoch validates it once more.
        run.val = list({entry['step']: entry for entry in (*run.val, *val)}.values())
    return run


def _read_lines(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    train: list[dict[str, Any]] = []
    val: list[dict[str, Any]] = []
    lines = read_regular_file(file).decode('utf-8', 'replace').splitlines()
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError as error:
            if number == len(lines):  # a run that was killed while it wrote
                break
            raise DataError(
                f'{file}, line {number} is not JSON: expected an mmengine log'
            ) from error
        if not isinstance(entry, dict) or not isinstance(entry.get('step'), int):
            continue
        (train if 'iter' in entry else val).append(entry)
    return train, val


def _continued(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not after:
        return before
    last, first = before[-1] if before else after[0], after[0]
    if _position(last) == _position(first) and last['step'] < first['step']:
        return before + after
    return [entry for entry in before if _position(entry) < _position(after[0])] + after


def _position(entry: dict[str, Any]) -> int:
    """The epoch, at whose start runs resume; the step in runs that count steps."""
    return entry.get('epoch', entry['step'])
