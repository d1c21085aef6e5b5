"""Charts of one test: precision and recall, F1 over the score threshold, confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pycocotools.cocoeval import COCOeval

from ..visualization.palette import class_color
from .answers import IOU_THRESHOLD, THRESHOLDS, Answers, f1_curve
from .coco_figures import average_precision

DPI = 110


def draw_pr_curves(evaluation: COCOeval, classes: Sequence[str], out: str | Path) -> None:
    """Draw precision over recall for each class, at IoU 0.5 and 0.75.

    Args:
        evaluation: From :func:`.evaluate`.
        classes: The evaluated classes, in the file's order.
        out: The picture.
    """
    figure = Figure(figsize=(11, 4.6), layout='constrained')
    figure.suptitle('COCO: boxes of each class, at all scores')
    recall = evaluation.params.recThrs
    for axes, iou in zip(figure.subplots(1, 2, sharey=True), (0.5, 0.75), strict=True):
        level = int(np.argmin(np.abs(evaluation.params.iouThrs - iou)))
        for k, name in enumerate(classes):
            precision = evaluation.eval['precision'][level, :, k, 0, -1]
            ap = average_precision(precision)
            if ap is not None:
                label = f'{name} (AP at this IoU {ap:.2f})'
                axes.plot(recall, precision, label=label, color=class_color(k))
        axes.set(title=f'IoU ≥ {iou}', xlabel='recall')
        _finish(axes)
    figure.axes[0].set_ylabel('precision')
    figure.savefig(out, dpi=DPI)


def draw_f1_curve(answers: Answers, score_thr: float, out: str | Path) -> None:
    """Draw precision, recall and F1 of the answers over the score threshold, and F1 by class.

    Args:
        answers: Of a test set.
        score_thr: The working threshold, which is marked.
        out: The picture.
    """
    figure = Figure(figsize=(11, 4.6), layout='constrained')
    figure.suptitle(f'answers: one box a plate, IoU ≥ {IOU_THRESHOLD}')
    every, by_class = figure.subplots(1, 2, sharey=True)
    curve = f1_curve(answers)
    every.plot(THRESHOLDS, curve.precision, label='precision', color='0.35', linestyle='--')
    every.plot(THRESHOLDS, curve.recall, label='recall', color='0.35', linestyle=':')
    every.plot(THRESHOLDS, curve.f1, label='F1', color='black', linewidth=2)
    every.set(title='all classes', ylabel='precision, recall, F1')
    for k, name in enumerate(answers.classes):
        by_class.plot(THRESHOLDS, f1_curve(answers, k).f1, label=name, color=class_color(k))
    by_class.set(title='by class', ylabel='F1')
    for axes in (every, by_class):
        axes.axvline(score_thr, color='0.6', linewidth=1, label=f'threshold {score_thr:.2f}')
        axes.set_xlabel('score threshold')
        _finish(axes)
    figure.savefig(out, dpi=DPI)


def draw_confusion_matrix(answers: Answers, score_thr: float, out: str | Path) -> None:
    """Draw the class of each plate against the class of its answer.

    Args:
        answers: Of a test set.
        score_thr: Answers with lower scores don't count.
        out: The picture.
    """
    matrix = answers.confusion_matrix(score_thr)
    names = [*answers.classes, 'nothing']
    size = 3.2 + 0.7 * len(names)
    figure = Figure(figsize=(size + 1.6, size), layout='constrained')
    axes = figure.subplots()
    shading = axes.imshow(matrix, cmap='Blues', vmin=0)
    figure.colorbar(shading, ax=axes, label='count', ticks=MaxNLocator(5, integer=True))
    for row, column in np.ndindex(matrix.shape):
        if (row, column) != (len(names) - 1, len(names) - 1):
            dark = matrix[row, column] > matrix.max() / 2
            color = 'white' if dark else 'black'
            axes.text(column, row, str(matrix[row, column]), ha='center', va='center', color=color)
    axes.set_xticks(range(len(names)), names, rotation=30, ha='right')
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xlabel='detected as',
        ylabel='is',
        title=f'answers: score ≥ {score_thr:.2f}, IoU ≥ {IOU_THRESHOLD}',
    )
    figure.savefig(out, dpi=DPI)


def _finish(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.03))
    axes.grid(alpha=0.3)
    axes.legend(loc='lower left', fontsize='small')
