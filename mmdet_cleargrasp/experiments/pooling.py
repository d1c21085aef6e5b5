"""The folds of a cross-validation as one test over all images."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..evaluation.coco_figures import read_predictions
from ..evaluation.detection_report import write_report
from ..evaluation.report_files import (
    METRICS_FILE,
    PREDICTIONS_FILE,
    SOURCE_FILE,
    finish_report,
    start_report,
)
from ..evaluation.working_threshold import WorkingThreshold
from ..utils.atomic_files import write_json
from ..utils.json_files import read_json_object
from .comparison.comparing import compare
from .comparison.runs import RunSet, collect_tested
from .execution import FIGURES, RECORD_FILE, read_record
from .folds import Folds
from .jobs import CROSS_VALIDATION, Job, Plan

#: Figures of the summary.
SHOWN = ('AP', 'precision', 'recall', 'F1')


@dataclass(frozen=True)
class MeanThreshold(WorkingThreshold):
    """The mean of the working thresholds of the folds."""

    folds: int = 0

    @property
    def source(self) -> str:
        """Source of the value, as text."""
        return f'mean of the working thresholds of {self.folds} folds'


def pool_folds(plan: Plan) -> list[Path]:
    """Join the tests of all folds, for every arm and seed with complete folds.

    Every image is tested once, with a detector that was neither trained nor selected on it. The
    report is that of one run with one test set, which ``compare_runs.py`` reads.

    Args:
        plan: Of an experiment with folds.

    Returns:
        Folders of the joined runs.
    """
    assert plan.folds is not None and plan.data_root is not None
    groups: dict[Path, list[Job]] = {}
    for job in plan.jobs:
        groups.setdefault(Path(job.folder).parent, []).append(job)
    done = []
    for folder, jobs in groups.items():
        records = [record for job in jobs if (record := read_record(job))]
        if len(records) == len(jobs):
            _pool(folder, jobs, records, plan.folds, plan.data_root)
            done.append(folder)
    return done


def summarize(folders: list[Path]) -> list[str]:
    """A line for each arm: figures over all images, with their 95 % intervals.

    Args:
        folders: From :func:`pool_folds`.
    """
    runs = collect_tested(folders)
    arms = tuple(dict.fromkeys(run.arm for run in runs))
    lines = []
    for arm in arms:
        mine = [run for run in runs if run.arm == arm]
        [result] = compare(RunSet(mine, (arm,), arm, (CROSS_VALIDATION,)))
        for (_, fraction), figures in result.results.items():
            parts = []
            for name in SHOWN:
                interval = figures.intervals[name]
                if interval is not None:
                    ends = f'{interval.low:.2f} to {interval.high:.2f}'
                    parts.append(f'{name} {interval.estimate:.3f} ({ends})')
            share = f', {fraction:g} %' if fraction != 100 else ''
            seeds = f'{len(figures.seeds)} seed{"s" if len(figures.seeds) > 1 else ""}'
            images = len(result.image_ids)
            lines.append(f'{arm}{share}: {", ".join(parts)}; {images} images, {seeds}')
    return lines


def _pool(
    folder: Path, jobs: list[Job], records: list[dict[str, Any]], folds: Folds, data_root: Path
) -> None:
    report = folder / 'test' / CROSS_VALIDATION
    start_report(report)
    tests = [Path(job.folder) / 'test' / name for job in jobs for name in job.test_configs]
    sources = [read_json_object(test / SOURCE_FILE) for test in tests]
    predictions = [found for test in tests for found in read_predictions(test / PREDICTIONS_FILE)]
    write_json(report / PREDICTIONS_FILE, predictions, indent=None)
    mean = sum(source['score_threshold'] for source in sources) / len(sources)
    threshold = MeanThreshold(mean, folds=len(jobs))
    classes = sources[0]['classes']
    write_report(folds.whole, report / PREDICTIONS_FILE, report, classes, threshold)
    shutil.copyfile(tests[0] / sources[0]['config'], report / sources[0]['config'])
    whole = {
        'annotations': str(folds.whole.absolute()),
        'annotations_sha256': hashlib.sha256(folds.whole.read_bytes()).hexdigest(),
        'images': str(data_root.absolute()),
        'score_threshold': threshold.value,
        'threshold_from': threshold.source,
    }
    write_json(report / SOURCE_FILE, {**sources[0], **whole})
    finish_report(report)
    metrics = read_json_object(report / METRICS_FILE)
    figures = {name: metrics['coco'][name] for name in FIGURES} | {'F1': metrics['answers']['f1']}
    record = {
        **records[0],
        'checkpoint': [record['checkpoint'] for record in records],
        'seconds': round(sum(record['seconds'] for record in records), 1),
        'tests': {CROSS_VALIDATION: figures},
        'folds': [next(iter(record['tests'].values())) for record in records],
    }
    write_json(folder / RECORD_FILE, record)
