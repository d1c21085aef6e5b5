"""Annotations, images, classes and evaluators."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...datasets.checks import check_overlap, check_split
from ...datasets.split import Split
from ...utils.findings import Finding, error, warning
from ..run_plan import LoopData, RunPlan


def check_data(plan: RunPlan, loop: str) -> Iterable[Finding]:
    """Check one loop's annotations, images, classes and evaluator.

    Args:
        plan: Of the run.
        loop: ``'train'``, ``'val'`` or ``'test'``.
    """
    subject = f'{loop} data'
    data = plan.data.get(loop)
    if data is None:
        yield error(subject, f'the config has no {loop}_dataloader')
    elif data.kind != 'CocoDataset':
        yield warning(subject, f'{data.kind} is not checked, only CocoDataset')
    elif data.split is None:
        found = data.dataset.get('ann_file')
        yield error(subject, f'a CocoDataset has ann_file={found!r}, expected a path')
    elif isinstance(data.classes, str) or not data.classes:
        yield error(
            subject,
            f'metainfo.classes is {data.classes!r}, expected a tuple of names; a tuple of one is '
            "written ('plate',) with a comma",
        )
    else:
        yield from _check_class_counts(subject, data, plan.class_counts)
        yield from check_workers(subject, data)
        yield from _check_evaluators(subject, loop, data, data.split.ann_file)
        if loop == 'test':
            yield from _check_choice(plan, data.split)
        yield from check_split(subject, data.split.ann_file, data.split.img_dir, data.classes)
        train = plan.data.get('train')
        if loop != 'train' and train is not None and train.split is not None:
            yield from check_overlap(subject, data.split, train.split)


def _check_choice(plan: RunPlan, split: Split) -> Iterable[Finding]:
    """Warn of figures that are too good, since the checkpoint was chosen by them."""
    val = plan.data.get('val')
    if val is None or val.split is None or not Path(plan.checkpoint or '').name.startswith('best_'):
        return
    if val.split.ann_file.absolute() == split.ann_file.absolute():
        yield warning(
            'test data',
            f'{plan.checkpoint} was selected as the best on these images, so that its metrics on '
            'them are too high: test on another split, --test-split NAME',
        )


def check_workers(subject: str, data: LoopData) -> Iterable[Finding]:
    """Refuse ``persistent_workers`` without workers, which torch rejects.

    Args:
        subject: What the finding is about.
        data: Of a loop.
    """
    if not data.loader.get('num_workers') and data.loader.get('persistent_workers'):
        yield error(subject, 'num_workers=0 needs persistent_workers=False')


def _check_class_counts(
    subject: str, data: LoopData, class_counts: frozenset[int]
) -> Iterable[Finding]:
    if class_counts and class_counts != {len(data.classes)}:
        yield error(
            subject,
            f'{len(data.classes)} classes {tuple(data.classes)}, but heads with num_classes='
            f'{", ".join(map(str, sorted(class_counts)))}. Set both to the same, or use '
            '--data-root.',
        )


def _check_evaluators(subject: str, loop: str, data: LoopData, ann_file: Path) -> Iterable[Finding]:
    for scored in data.scored_on:
        if scored.absolute() != ann_file.absolute():
            yield error(
                subject,
                f'images come from {ann_file}, but {loop}_evaluator.ann_file is {scored}: set both '
                'to the same file',
            )
