"""Curves of the logs of runs, and training times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..utils.errors import ConfigError, DataError
from .training_logs import RunLog, read_run

#: Validation metrics between 0 and 1, of detectors and pretraining, with short names.
SCORES = {
    'coco/bbox_mAP': 'AP',
    'coco/bbox_mAP_50': 'AP50',
    'coco/bbox_mAP_75': 'AP75',
    'answers/f1': 'F1 of the answers',
    'pretrain/mask_iou': 'mask IoU',
    'pretrain/outlines_f1': 'outline F1',
}


def draw_run(work_dir: str | Path, out: str | Path) -> None:
    """Draw a run's losses, learning rate and validation scores.

    Args:
        work_dir: Of the run.
        out: The picture.

    Raises:
        DataError: The work dir holds no log.
    """
    run = read_run(work_dir)
    figure = Figure(figsize=(15, 4.2), layout='constrained')
    losses, rate, scores = figure.subplots(1, 3)
    names = [key for key in run.names if key == 'loss' or key.startswith('loss_')]
    _plot(losses, [run], names, names)
    losses.set(title='training losses', ylabel='loss')
    if 'lr' in run.names:
        _plot(rate, [run], ['lr'], ['learning rate'])
    rate.set(title='learning rate', ylabel='learning rate')
    measured = [key for key in SCORES if key in run.names]
    _plot(scores, [run], measured, [SCORES[key] for key in measured])
    scores.set(title='validation', ylabel='score, from 0 to 1', ylim=(0, 1))
    for axes in (losses, rate):
        axes.set_xlabel('step')
    scores.set_xlabel('epoch')
    figure.suptitle(run.name)
    figure.savefig(out, dpi=110)


def plot_curves(
    logs: Sequence[str | Path],
    keys: Sequence[str],
    out: str | Path,
    legend: Sequence[str] | None = None,
    title: str | None = None,
    start_epoch: int = 1,
) -> None:
    """Draw selected curves of one or several runs in one image.

    Training values are drawn over steps, validation metrics over epochs, in a separate panel if
    there are both.

    Args:
        logs: Work dirs or JSON log files.
        keys: As :meth:`.RunLog.curve` takes them.
        out: The picture, of a type that matplotlib writes.
        legend: A name a curve, run by run.
        title: Above the picture.
        start_epoch: The epoch from which to draw, from 1 on.

    Raises:
        DataError: A log or key that is not there.
        ConfigError: A legend of another length, or a picture that cannot be written.
    """
    runs = [_from_epoch(read_run(path), start_epoch) for path in logs]
    names = list(legend or [f'{run.name} {key}' for run in runs for key in keys])
    if len(names) != len(runs) * len(keys):
        raise ConfigError(
            f'{len(names)} legend entries for {len(runs)} run(s) x {len(keys)} key(s): expected '
            f'{len(runs) * len(keys)}'
        )
    validated = {key: any(run.is_validated(key) for run in runs) for key in keys}
    panels = [side for side in (False, True) if side in validated.values()]
    figure = Figure(figsize=(7.5 * len(panels), 4.8), layout='constrained')
    for index, side in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), index)
        chosen = [key for key in keys if validated[key] == side]
        labels = [
            names[r * len(keys) + keys.index(key)] for r in range(len(runs)) for key in chosen
        ]
        _plot(axes, runs, chosen, labels)
        axes.set_xlabel('epoch' if side else 'step')
        axes.set_ylabel(', '.join(chosen))
    if title:
        figure.suptitle(title)
    try:
        figure.savefig(out, dpi=110)
    except (ValueError, OSError) as error:
        raise ConfigError(f'cannot write {out}: {error}') from error


def train_times(run: RunLog, include_outliers: bool = False) -> dict[int, float]:
    """Seconds per training step, averaged by epoch.

    Args:
        run: From :func:`.read_run`.
        include_outliers: Count the first logged step of each epoch too, which starts the data
            loading. It counts anyway where it is the epoch's only one.

    Returns:
        Seconds by epoch.

    Raises:
        DataError: No times were logged.
    """
    times: dict[int, list[float]] = {}
    for entry in run.train:
        if 'time' in entry:
            times.setdefault(entry.get('epoch', 1), []).append(entry['time'])
    if not times:
        raise DataError(f'{run.name} logged no training times')
    return {
        epoch: float(np.mean(values if include_outliers or len(values) == 1 else values[1:]))
        for epoch, values in times.items()
    }


def _from_epoch(run: RunLog, epoch: int) -> RunLog:
    return RunLog(
        run.name,
        [entry for entry in run.train if entry.get('epoch', epoch) >= epoch],
        [entry for entry in run.val if entry['step'] >= epoch],
    )


def _plot(axes: Axes, runs: Sequence[RunLog], keys: Sequence[str], labels: Sequence[str]) -> None:
    curves = [run.curve(key) for run in runs for key in keys]
    for (steps, values), label in zip(curves, labels, strict=True):
        # A few points would be invisible as a line.
        axes.plot(steps, values, label=label, marker='o' if len(steps) < 30 else None, markersize=3)
    if curves:
        axes.legend(fontsize='small')
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
