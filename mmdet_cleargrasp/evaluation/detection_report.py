"""The report of one test: figures of COCO and of the answers, as a file, tables and charts."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..datasets.annotations import load_coco_dict
from ..utils.atomic_files import write_json
from ..visualization.fonts import chart_fonts
from . import charts
from .answers import THRESHOLDS, AnswerCounts, Answers, f1_curve, match_answers
from .coco_figures import STATS, evaluate, read_predictions, summarize
from .report_files import METRICS_FILE
from .working_threshold import WorkingThreshold


def write_report(
    ann_file: str | Path,
    predictions: str | Path,
    out_dir: str | Path,
    classes: Sequence[str],
    threshold: WorkingThreshold,
) -> str:
    """Evaluate predictions, and write ``metrics.json`` and the charts.

    Args:
        ann_file: The ground truth, in COCO's format.
        predictions: A list of detections, in COCO's result format.
        out_dir: An existing folder.
        classes: The classes to evaluate.
        threshold: The score threshold of the answers.

    Returns:
        The figures as tables, to print.
    """
    out_dir = Path(out_dir)
    evaluation = evaluate(ann_file, predictions, classes)
    answers = read_answers(ann_file, predictions, classes)
    coco = summarize(evaluation, classes)
    metrics = {
        'images': coco.pop('images'),
        'instances': coco.pop('instances'),
        'coco': coco,
        'answers': {
            'score_threshold': threshold.value,
            'threshold_from': threshold.source,
            **summarize_answers(answers, threshold.value),
            'curve': threshold_curve(answers),
        },
    }
    write_json(out_dir / METRICS_FILE, metrics)
    with chart_fonts(''.join(classes)):
        charts.draw_pr_curves(evaluation, classes, out_dir / 'pr_curves.png')
        charts.draw_f1_curve(answers, threshold.value, out_dir / 'f1_curve.png')
        charts.draw_confusion_matrix(answers, threshold.value, out_dir / 'confusion_matrix.png')
    return format_tables(metrics)


def read_answers(ann_file: str | Path, predictions: str | Path, classes: Sequence[str]) -> Answers:
    """Read the files of one test and compare its answers with the plates.

    Args:
        ann_file: The ground truth, in COCO's format.
        predictions: A list of detections, in COCO's result format.
        classes: The classes to evaluate.
    """
    return match_answers(load_coco_dict(ann_file), read_predictions(predictions), classes)


def summarize_answers(answers: Answers, score_thr: float) -> dict[str, Any]:
    """Counts and figures of the answers, as plain values; ``None`` if undefined.

    Args:
        answers: Of a test set.
        score_thr: Answers with lower scores don't count.

    Returns:
        The attributes and figures of :class:`.AnswerCounts`, and ``per_class`` with those that
        concern a class.
    """
    every = answers.count(score_thr)
    by_class = {
        name: _plain(answers.count(score_thr, label)) for label, name in enumerate(answers.classes)
    }
    return {**_plain(every), 'per_class': by_class}


def threshold_curve(answers: Answers) -> dict[str, list[float]]:
    """Precision and recall at each score threshold, as plain lists.

    Args:
        answers: Of a test set.
    """
    curve = f1_curve(answers)
    columns = {'threshold': THRESHOLDS, 'precision': curve.precision, 'recall': curve.recall}
    return {
        name: [round(float(value), 3) for value in np.nan_to_num(np.asarray(values))]
        for name, values in columns.items()
    }


def format_tables(metrics: dict[str, Any]) -> str:
    """Figures as tables of text: COCO's, then those of the answers.

    Args:
        metrics: As in ``metrics.json``.
    """
    text = io.StringIO()
    console = Console(file=text, width=100)
    console.print(*_coco_tables(metrics['coco']), _answer_table(metrics['answers']), sep='\n')
    console.print(_describe(metrics['answers']), markup=False, highlight=False)
    return text.getvalue()


def _coco_tables(coco: dict[str, Any]) -> list[Table]:
    title = 'COCO: boxes of each class, at all scores'
    overall = Table('AP', 'AP50', 'AP75', 'small', 'medium', 'large', 'AR100', title=title)
    overall.add_row(*(_cell(coco[name]) for name in (*STATS[:6], 'AR_100')))
    by_class = Table('class', 'boxes', 'AP', 'AP50', 'AP75', title='COCO, by class')
    for name, entry in coco['per_class'].items():
        figures = (_cell(entry[key]) for key in ('AP', 'AP50', 'AP75'))
        by_class.add_row(escape(name), str(entry['instances']), *figures)
    return [overall, by_class]


def _answer_table(answers: dict[str, Any]) -> Table:
    title = f'answers: one box a plate, score ≥ {answers["score_threshold"]:.2f}'
    counts = ('right', 'wrong', 'missed')
    table = Table('class', *counts, 'precision', 'recall', 'F1', title=title)
    for name, entry in (*answers['per_class'].items(), ('all', answers)):
        figures = (_cell(entry[key]) for key in ('precision', 'recall', 'f1'))
        table.add_row(escape(name), *(str(entry[key]) for key in counts), *figures)
    return table


def _describe(answers: dict[str, Any]) -> str:
    a = answers
    return (
        f'images with every plate right and nothing else: {a["images_all_right"]} of '
        f'{a["images"]}\n'
        f'images without a plate and without an answer: {a["negatives_clean"]} of '
        f'{a["negatives"]} ({a["negatives_wrong"]} false positives on the others)\n'
        f'if classes did not matter: precision {_cell(a["precision_any_class"])}, recall '
        f'{_cell(a["recall_any_class"])}\n'
        f'score threshold: {a["threshold_from"]}'
    )


def _plain(counts: AnswerCounts) -> dict[str, Any]:
    figures = {
        name: None if math.isnan(value) else float(value)
        for name, value in counts.figures().items()
    }
    return {**{name: int(value) for name, value in vars(counts).items()}, **figures}


def _cell(value: float | None) -> str:
    return '–' if value is None else f'{value:.3f}'
