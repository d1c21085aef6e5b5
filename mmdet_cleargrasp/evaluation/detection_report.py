"""What a detector's predictions are worth: COCO's figures, curves and confusion matrix."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
from matplotlib.figure import Figure
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..utils.atomic_files import write_json

#: COCO's twelve figures, in the order of ``COCOeval.stats``.
STATS = (
    'AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large',
    'AR_1', 'AR_10', 'AR_100', 'AR_small', 'AR_medium', 'AR_large',
)  # fmt: skip
#: Detections below it do not count in the confusion matrix.
SCORE_THRESHOLD = 0.5
IOU_THRESHOLD = 0.5


def write_report(
    ann_file: str | Path, predictions: str | Path, out_dir: str | Path, classes: Sequence[str]
) -> str:
    """Evaluate predictions and write ``metrics.json``, PR curves and a confusion matrix.

    Args:
        ann_file: The ground truth, in COCO's format.
        predictions: A list of detections, in COCO's result format.
        out_dir: An existing folder.
        classes: The classes to evaluate.

    Returns:
        The figures as tables, to print.
    """
    out_dir = Path(out_dir)
    evaluation = evaluate(ann_file, predictions, classes)
    metrics = summarize(evaluation, classes)
    write_json(out_dir / 'metrics.json', metrics)
    draw_pr_curves(evaluation, classes, out_dir / 'pr_curves.png')
    draw_confusion_matrix(evaluation, classes, out_dir / 'confusion_matrix.png')
    return format_tables(metrics)


def evaluate(ann_file: str | Path, predictions: str | Path, classes: Sequence[str]) -> COCOeval:
    """Run pycocotools' box evaluation.

    Args:
        ann_file: The ground truth, in COCO's format.
        predictions: A list of detections, in COCO's result format; may be empty.
        classes: The classes to evaluate.

    Returns:
        Evaluated, accumulated and summarized.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth = COCO(str(ann_file))
        truth.dataset.setdefault('info', {})  # loadRes copies it
        detections = json.loads(Path(predictions).read_text(encoding='utf-8'))
        found = truth.loadRes(detections) if detections else COCO()
        evaluation = COCOeval(truth, found, 'bbox')
        evaluation.params.catIds = truth.getCatIds(catNms=list(classes))
        evaluation.params.imgIds = truth.getImgIds()
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def summarize(evaluation: COCOeval, classes: Sequence[str]) -> dict[str, Any]:
    """The figures of an evaluation, as plain values; ``None`` where nothing could be measured.

    Args:
        evaluation: From :func:`evaluate`.
        classes: The evaluated classes, in the file's order.

    Returns:
        COCO's figures between 0 and 1, ``images``, ``instances`` and, by class,
        ``per_class`` with AP, AP50, AP75 and ``instances``.
    """
    truth, cat_ids = evaluation.cocoGt, evaluation.params.catIds
    precision = evaluation.eval['precision'][:, :, :, 0, -1]  # IoU, recall, class
    iou = {round(float(value), 2): index for index, value in enumerate(evaluation.params.iouThrs)}
    per_class = {
        name: {
            'AP': _mean(precision[:, :, k]),
            'AP50': _mean(precision[iou[0.5], :, k]),
            'AP75': _mean(precision[iou[0.75], :, k]),
            'instances': len(truth.getAnnIds(catIds=[cat_ids[k]])),
        }
        for k, name in enumerate(classes)
    }
    return {
        **{name: _known(value) for name, value in zip(STATS, evaluation.stats, strict=True)},
        'images': len(evaluation.params.imgIds),
        'instances': sum(entry['instances'] for entry in per_class.values()),
        'per_class': per_class,
    }


def format_tables(metrics: dict[str, Any]) -> str:
    """Figures as tables of text, overall, by size and by class.

    Args:
        metrics: From :func:`summarize`.
    """
    overall = Table('AP', 'AP50', 'AP75', 'small', 'medium', 'large', 'AR100', title='all classes')
    overall.add_row(*(_cell(metrics[name]) for name in (*STATS[:6], 'AR_100')))
    by_class = Table('class', 'boxes', 'AP', 'AP50', 'AP75', title='by class')
    for name, entry in metrics['per_class'].items():
        figures = (_cell(entry[key]) for key in ('AP', 'AP50', 'AP75'))
        by_class.add_row(escape(name), str(entry['instances']), *figures)
    console = Console(file=io.StringIO(), width=100)
    console.print(overall, by_class, sep='\n')
    return console.file.getvalue()


def draw_pr_curves(evaluation: COCOeval, classes: Sequence[str], out: str | Path) -> None:
    """Draw precision over recall for each class, at IoU 0.5 and 0.75.

    Args:
        evaluation: From :func:`evaluate`.
        classes: The evaluated classes, in the file's order.
        out: The picture.
    """
    figure = Figure(figsize=(11, 4.6), layout='constrained')
    recall = evaluation.params.recThrs
    for axes, iou in zip(figure.subplots(1, 2, sharey=True), (0.5, 0.75), strict=True):
        level = int(np.argmin(np.abs(evaluation.params.iouThrs - iou)))
        for k, name in enumerate(classes):
            precision = evaluation.eval['precision'][level, :, k, 0, -1]
            ap = _mean(precision)
            if ap is not None:
                axes.plot(recall, precision, label=f'{name} (AP {ap:.3f})')
        axes.set(title=f'IoU {iou}', xlabel='recall', xlim=(0, 1), ylim=(0, 1.03))
        axes.grid(alpha=0.3)
        axes.legend(loc='lower left')
    figure.axes[0].set_ylabel('precision')
    figure.savefig(out, dpi=110)


def draw_confusion_matrix(evaluation: COCOeval, classes: Sequence[str], out: str | Path) -> None:
    """Draw which class was taken for which, what was missed and what was invented.

    Args:
        evaluation: From :func:`evaluate`.
        classes: The evaluated classes, in the file's order.
        out: The picture.
    """
    matrix = confusion_matrix(evaluation, classes)
    names = [*classes, 'nothing']
    size = 3.2 + 0.7 * len(names)
    figure = Figure(figsize=(size + 1, size), layout='constrained')
    axes = figure.subplots()
    axes.imshow(matrix, cmap='Blues')
    for row, column in np.ndindex(matrix.shape):
        if (row, column) != (len(classes), len(classes)):
            dark = matrix[row, column] > matrix.max() / 2
            color = 'white' if dark else 'black'
            axes.text(column, row, int(matrix[row, column]), ha='center', va='center', color=color)
    axes.set_xticks(range(len(names)), names, rotation=30, ha='right')
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xlabel='detected as', ylabel='is', title=f'score > {SCORE_THRESHOLD}, IoU > {IOU_THRESHOLD}'
    )
    figure.savefig(out, dpi=110)


def confusion_matrix(evaluation: COCOeval, classes: Sequence[str]) -> np.ndarray:
    """Count detections by true class (rows) and detected class (columns).

    Args:
        evaluation: From :func:`evaluate`.
        classes: The evaluated classes, in the file's order.

    Returns:
        Ndarray: (C + 1, C + 1), int; the last row is what was detected and is nothing, the last
        column what was missed.
    """
    labels = {cat_id: k for k, cat_id in enumerate(evaluation.params.catIds)}
    pairs = [
        (
            _detections(evaluation.cocoDt, image, labels),
            _detections(evaluation.cocoGt, image, labels),
        )
        for image in evaluation.params.imgIds
    ]
    return sv.ConfusionMatrix.from_detections(
        predictions=[found for found, _ in pairs],
        targets=[truth for _, truth in pairs],
        classes=list(classes),
        conf_threshold=SCORE_THRESHOLD,
        iou_threshold=IOU_THRESHOLD,
    ).matrix


def _detections(coco: COCO, image_id: int, labels: dict[int, int]) -> sv.Detections:
    entries = [e for e in coco.imgToAnns.get(image_id, []) if e['category_id'] in labels]
    if not entries:
        return sv.Detections.empty()
    boxes = np.array([entry['bbox'] for entry in entries], dtype=np.float32)
    boxes[:, 2:] += boxes[:, :2]
    return sv.Detections(
        xyxy=boxes,
        class_id=np.array([labels[entry['category_id']] for entry in entries]),
        confidence=np.array([entry.get('score', 1.0) for entry in entries], dtype=np.float32),
    )


def _mean(precision: np.ndarray) -> float | None:
    measured = precision[precision > -1]
    return float(measured.mean()) if measured.size else None


def _known(value: float) -> float | None:
    return float(value) if value > -1 else None


def _cell(value: float | None) -> str:
    return '–' if value is None else f'{value:.3f}'
