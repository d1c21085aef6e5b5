"""The report's charts, as SVG that uses the text color of the page."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, PercentFormatter

from ...utils.errors import DataError
from ...visualization.palette import ARM_COLORS
from ...visualization.training_logs import RunLog, read_run
from .comparing import PR_IOU, ArmResult, TestComparison, largest_fraction
from .runs import RunSet
from .uncertainty import Interval

#: Markers, in addition to colors.
MARKERS = 'osD^vP*X'
#: A placeholder, replaced by the page's text color when the SVG is written.
INK = '#010203'
STYLE: Any = {  # matplotlib lists the keys as literals
    'font.size': 10, 'axes.titlesize': 10.5, 'axes.titlelocation': 'left',
    'axes.labelsize': 10, 'text.color': INK, 'axes.labelcolor': INK, 'axes.edgecolor': INK,
    'xtick.color': INK, 'ytick.color': INK, 'axes.spines.top': False, 'axes.spines.right': False,
    'axes.linewidth': 0.7, 'xtick.major.width': 0.7, 'ytick.major.width': 0.7, 'axes.grid': True,
    'grid.color': INK, 'grid.alpha': 0.13, 'grid.linewidth': 0.7, 'axes.axisbelow': True,
    'legend.frameon': False, 'lines.linewidth': 1.7, 'lines.markersize': 5,
    'svg.fonttype': 'none', 'savefig.transparent': True, 'figure.facecolor': 'none',
    'axes.facecolor': 'none',
}  # fmt: skip
#: Logged steps over which a loss curve is averaged.
SMOOTHING = 9
_salts = itertools.count()


def arm_colors(arms: Sequence[str]) -> dict[str, str]:
    """The color of each arm, the same in all charts and pictures.

    Args:
        arms: Their names, in order.

    Example:
        >>> arm_colors(['cleargrasp', 'random'])
        {'cleargrasp': '#0072B2', 'random': '#D55E00'}
    """
    return {arm: ARM_COLORS[index % len(ARM_COLORS)] for index, arm in enumerate(arms)}


def arm_markers(arms: Sequence[str]) -> dict[str, str]:
    """The marker of each arm."""
    return {arm: MARKERS[index % len(MARKERS)] for index, arm in enumerate(arms)}


def scores_chart(runs: RunSet, comparison: TestComparison, key: str) -> str:
    """A figure of each arm, and its difference from the reference, with intervals and every seed.

    Args:
        runs: That were compared.
        comparison: On one test set.
        key: The figure, such as ``'AP'``.

    Returns:
        SVG.
    """
    fraction = largest_fraction(runs)
    differences = {
        d.arm: d for d in comparison.differences if d.fraction == fraction and d.figure == key
    }
    with _figure(9.4, 1.4 + 0.42 * len(runs.arms)) as (figure, svg):
        left, right = figure.subplots(1, 2, sharey=True)
        colors, markers = arm_colors(runs.arms), arm_markers(runs.arms)
        for row, arm in enumerate(runs.arms):
            result = comparison.results[arm, fraction]
            style = {'color': colors[arm], 'marker': markers[arm]}
            interval = result.intervals[key]
            if interval:
                _whisker(left, row, interval, result.values[key][:, 0], style)
            if arm in differences:
                d = differences[arm]
                _whisker(right, row, d.interval, np.array(d.by_seed), style)
        right.axvline(0, color=INK, linewidth=1)
        reference_row = runs.arms.index(runs.reference)
        right.plot(0, reference_row, color=colors[runs.reference], **_dot(markers[runs.reference]))
        left.set_yticks(range(len(runs.arms)), runs.arms)
        left.set(title=key, xlabel=key, xlim=(0, None), ylim=(len(runs.arms) - 0.5, -0.5))
        right.set(title=f'difference to {runs.reference}', xlabel=f'difference in {key}')
        for axes in (left, right):
            axes.grid(axis='y', visible=False)
            axes.tick_params(axis='y', length=0)
            axes.spines['left'].set_visible(False)
            axes.xaxis.set_major_locator(MaxNLocator(6))
    return svg[0]


def few_shot_chart(runs: RunSet, comparisons: Sequence[TestComparison]) -> str | None:
    """AP over the number of training images, mean and every seed; one panel per test set.

    Args:
        runs: That were compared.
        comparisons: One a test set.

    Returns:
        SVG; ``None`` if there is only one fraction.
    """
    fractions = sorted({run.fraction for run in runs.runs})
    if len(fractions) < 2:
        return None
    colors, markers = arm_colors(runs.arms), arm_markers(runs.arms)
    with _figure(9.4, 3.5) as (figure, svg):
        panels = figure.subplots(1, len(comparisons), sharey=True, squeeze=False)[0]
        for axes, comparison in zip(panels, comparisons, strict=True):
            for arm in runs.arms:
                points = [
                    (f, comparison.results[arm, f])
                    for f in fractions
                    if (arm, f) in comparison.results
                ]
                _few_shot_curve(axes, points, arm, colors[arm], markers[arm])
            axes.set_xscale('log')
            axes.xaxis.set_major_locator(FixedLocator(fractions))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticklabels([_fraction_label(comparison, runs, f) for f in fractions])
            axes.set(title=comparison.name, xlabel='training images (share in %)', ylim=(0, None))
        panels[0].set_ylabel('AP')
        _legend(figure, panels[0])
    return svg[0]


def training_chart(runs: RunSet) -> str | None:
    """Training loss over steps, and AP on the validation images over epochs.

    Args:
        runs: That were compared; those on the largest fraction are drawn.

    Returns:
        SVG; ``None`` if no run has a log.
    """
    fraction = largest_fraction(runs)
    colors, markers = arm_colors(runs.arms), arm_markers(runs.arms)
    logs: dict[str, list[RunLog]] = {}
    for run in runs.runs:
        if run.fraction == fraction:
            try:
                logs.setdefault(run.arm, []).append(read_run(run.folder))
            except DataError:  # tested in another folder than trained
                continue
    if not any(log.train for group in logs.values() for log in group):
        return None
    with _figure(9.4, 3.4) as (figure, svg):
        loss, validation = figure.subplots(1, 2)
        for arm in (arm for arm in runs.arms if arm in logs):
            _draw_logs(loss, logs[arm], 'loss', colors[arm], arm, smoothed=True)
            _draw_logs(
                validation, logs[arm], 'coco/bbox_mAP', colors[arm], arm, marker=markers[arm]
            )
        loss.set(title='training loss', xlabel='step', ylabel='loss', ylim=(0, None))
        validation.set(title='validation', xlabel='epoch', ylabel='AP', ylim=(0, None))
        for axes in (loss, validation):
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _legend(figure, loss)
    return svg[0]


def pr_chart(runs: RunSet, comparison: TestComparison) -> str:
    """Precision over recall, by class and IoU, averaged over seeds.

    Args:
        runs: That were compared.
        comparison: On one test set.

    Returns:
        SVG.
    """
    colors = arm_colors(runs.arms)
    classes = comparison.classes
    with _figure(9.4, 0.6 + 2.3 * len(PR_IOU)) as (figure, svg):
        grid = figure.subplots(len(PR_IOU), len(classes), sharex=True, sharey=True, squeeze=False)
        for (i, iou), (k, name) in itertools.product(enumerate(PR_IOU), enumerate(classes)):
            axes = grid[i][k]
            for arm in runs.arms:
                precision = comparison.details[arm].precision[i, :, k]
                axes.plot(comparison.recall, precision, color=colors[arm], label=arm)
            axes.set(title=f'{name}, IoU {iou}', xlim=(0, 1.01), ylim=(0, 1.03))
            axes.xaxis.set_major_formatter(PercentFormatter(1))
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        for axes in grid[-1]:
            axes.set_xlabel('recall')
        for row in grid:
            row[0].set_ylabel('precision')
        _legend(figure, grid[0][0])
    return svg[0]


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Figure, list[str]]]:
    """A figure that is appended to the list as SVG when the block ends."""
    svg: list[str] = []
    # Ids have to differ between the charts of a page.
    with rc_context({**STYLE, 'svg.hashsalt': f'chart-{next(_salts)}'}):
        figure = Figure(figsize=(width, height), layout='constrained')
        yield figure, svg
        buffer = io.StringIO()
        figure.savefig(buffer, format='svg', metadata={'Date': None, 'Creator': None})
    text = buffer.getvalue()
    svg.append(text[text.index('<svg') :].replace(INK, 'currentColor'))


def _whisker(axes: Axes, row: int, interval: Interval, seeds: np.ndarray, style: dict) -> None:
    color = style['color']
    axes.plot([interval.low, interval.high], [row, row], color=color, solid_capstyle='butt')
    if len(seeds) > 1:
        axes.scatter(seeds, np.full(len(seeds), row + 0.26), s=12, color=color, alpha=0.55, lw=0)
    axes.plot(interval.estimate, row, color=color, **_dot(style['marker']))


def _dot(marker: str) -> dict:
    return {'marker': marker, 'markersize': 7, 'linestyle': 'none'}


def _few_shot_curve(
    axes: Axes, points: list[tuple[float, ArmResult]], arm: str, color: str, marker: str
) -> None:
    x = [fraction for fraction, _ in points]
    axes.plot(x, [r.mean('AP') for _, r in points], color=color, marker=marker, label=arm)
    for fraction, result in points:
        seeds = result.values['AP'][:, 0]
        axes.scatter(np.full(len(seeds), fraction), seeds, s=12, color=color, alpha=0.45, lw=0)


def _fraction_label(comparison: TestComparison, runs: RunSet, fraction: float) -> str:
    images = {
        result.images
        for (_, f), result in comparison.results.items()
        if f == fraction and result.images
    }
    return f'{images.pop()}\n{fraction:g} %' if len(images) == 1 else f'{fraction:g} %'


def _draw_logs(
    axes: Axes,
    logs: list[RunLog],
    key: str,
    color: str,
    arm: str,
    smoothed: bool = False,
    marker: str | None = None,
) -> None:
    curves = []
    for log in logs:
        try:
            steps, values = log.curve(key)
        except DataError:  # no validation, or none with detections
            continue
        curves.append((steps, _smooth(values) if smoothed else values))
    for steps, values in curves:
        axes.plot(steps, values, color=color, alpha=0.35 if len(curves) > 1 else 1, linewidth=1)
    if curves:
        steps, means = _mean_curve(curves)
        few = marker if len(steps) < 30 else None
        axes.plot(steps, means, color=color, label=arm, marker=few, markersize=4)


def _mean_curve(curves: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the steps that every curve has."""
    common = sorted(set.intersection(*(set(steps.tolist()) for steps, _ in curves)))
    rows = [dict(zip(steps.tolist(), values, strict=True)) for steps, values in curves]
    return np.array(common), np.array([np.mean([row[step] for row in rows]) for step in common])


def _smooth(values: np.ndarray) -> np.ndarray:
    width = min(SMOOTHING, max(1, len(values) // 4))
    padded = np.pad(values, (width // 2, (width - 1) // 2), mode='edge')
    return np.convolve(padded, np.full(width, 1 / width), mode='valid')


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside upper left', ncols=min(5, max(1, len(labels))))
