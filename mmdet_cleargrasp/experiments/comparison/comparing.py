"""Compare arms: figures of each, and differences with their confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pycocotools.cocoeval import COCOeval

from ...evaluation.answers import Answers
from ...evaluation.coco_figures import STATS, evaluate
from ...evaluation.detection_report import read_answers
from ...utils.errors import DataError
from .groups import ImageGroup, group_masks
from .matching import Matches, figures, read_matches, score
from .runs import RunSet, TestedRun, TestReport
from .uncertainty import Interval, difference_interval, draw_weights, mean_interval

#: COCO's figures by size have no interval, only the spread over seeds.
SIZE_FIGURES = ('AP_small', 'AP_medium', 'AP_large')
REPLICATES = 2000
#: Figures of the answers, by the name that :class:`.AnswerCounts` has for each.
ANSWER_FIGURES = {
    'precision': 'precision',
    'recall': 'recall',
    'F1': 'f1',
    'images all right': 'share_of_images_all_right',
    'negatives clean': 'share_of_negatives_clean',
}
#: Figures that are also computed per class.
ANSWER_FIGURES_BY_CLASS = ('precision', 'recall', 'F1')
#: Figures that are also computed per group of images.
GROUP_FIGURES = ('AP', 'precision', 'recall')
#: With fewer images without a plate, there is no interval: it would say nothing about other images.
MIN_NEGATIVES = 5
#: IoU of the precision-recall curves.
PR_IOU = (0.5, 0.75)


@dataclass
class ArmResult:
    """An arm on one fraction of the training images, on one test set.

    Attributes:
        seeds: S seeds, in the order of the rows.
        images: Training images.
        values: By figure, (S, B + 1), by seed and resampling. Column 0 is the original test set;
            figures by size have that column only.
        intervals: By figure, for those that are resampled.
    """

    seeds: list[int]
    images: int | None
    values: dict[str, np.ndarray]
    intervals: dict[str, Interval | None] = field(default_factory=dict)

    def mean(self, figure: str) -> float:
        """Mean over seeds; NaN if undefined."""
        return float(self.values[figure][:, 0].mean())

    def spread(self, figure: str) -> float:
        """Standard deviation over seeds; NaN for one seed."""
        column = self.values[figure][:, 0]
        return float(column.std(ddof=1)) if len(column) > 1 else float('nan')


@dataclass(frozen=True)
class Difference:
    """An arm against the reference, on one fraction of the training images.

    Attributes:
        arm: Its name.
        reference: Name of the other.
        fraction: Percent of the training images.
        figure: Such as ``'AP'``.
        interval: Of arm minus reference.
        seeds: Number of seeds of either.
        paired: Both had the same seeds.
        images: Of the test set.
        by_seed: The difference in each seed that both have.
    """

    arm: str
    reference: str
    fraction: float
    figure: str
    interval: Interval
    seeds: tuple[int, int]
    paired: bool
    images: int
    by_seed: tuple[float, ...]


@dataclass
class ArmDetail:
    """Results of an arm on the largest fraction, averaged over seeds, for charts and images.

    Attributes:
        precision: (len(PR_IOU), R, K), by IoU, recall and class; NaN if unmeasured.
        confusion: (K + 1, K + 1), answers by true and detected class.
        influence: (I,), AP on all images minus AP without this one.
        shown: The run whose detections are drawn.
    """

    precision: np.ndarray
    confusion: np.ndarray
    influence: np.ndarray
    shown: TestedRun


@dataclass
class TestComparison:
    """All arms on one test set.

    Attributes:
        name: Of the test set.
        classes: K names.
        image_ids: Of the I images.
        boxes: True boxes.
        recall: (R,), of the precision-recall curves.
        results: By arm and fraction.
        differences: Of every arm to the reference.
        details: By arm.
        groups: Names of the groups of images that have figures of their own, and their sizes.
    """

    __test__ = False

    name: str
    classes: tuple[str, ...]
    image_ids: tuple[int | str, ...]
    boxes: int
    recall: np.ndarray
    results: dict[tuple[str, float], ArmResult]
    differences: list[Difference]
    details: dict[str, ArmDetail]
    groups: dict[str, int] = field(default_factory=dict)

    @property
    def figures(self) -> list[str]:
        """Names of the figures that have intervals."""
        return list(next(iter(self.results.values())).intervals)


def compare(
    runs: RunSet,
    replicates: int = REPLICATES,
    seed: int = 0,
    progress: Callable[[], None] = lambda: None,
    groups: Sequence[ImageGroup] = (),
) -> list[TestComparison]:
    """Compare runs on every test set.

    Args:
        runs: From :func:`.collect_runs`.
        replicates: Resamplings of the images.
        seed: Of the resamplings; the same seed gives the same intervals.
        progress: Called after each run and test set.
        groups: Groups of images with separate figures.

    Raises:
        DataError: The annotations do not exist any more, or have changed since the test.
    """
    return [_compare_on(runs, name, replicates, seed, progress, groups) for name in runs.tests]


def answer_figures(
    answers: Answers, score_thr: float, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """The figures of the answers for every resampling of the images.

    Args:
        answers: Of one run on one test set.
        score_thr: Of that run.
        weights: (B, I), how often each image counts in each resampling.

    Returns:
        (B,) each, by the names of :data:`ANSWER_FIGURES`, and by class as ``F1 NAME``.
    """
    overall = answers.count_by_image(score_thr).weighted(weights).figures()
    named = {name: overall[key] for name, key in ANSWER_FIGURES.items()}
    for label, class_name in enumerate(answers.classes):
        counted = answers.count_by_image(score_thr, label).weighted(weights).figures()
        for name in ANSWER_FIGURES_BY_CLASS:
            named[f'{name} {class_name}'] = counted[ANSWER_FIGURES[name]]
    return named


def largest_fraction(runs: RunSet) -> float:
    """The largest fraction of the training images on which every arm was trained.

    Args:
        runs: From :func:`.collect_runs`.

    Raises:
        DataError: No fraction is common to all arms.
    """
    common = set.intersection(
        *({run.fraction for run in runs.runs if run.arm == arm} for arm in runs.arms)
    )
    if not common:
        raise DataError(
            'no subset of the training images on which every arm was trained and tested'
        )
    return max(common)


def _compare_on(
    runs: RunSet,
    name: str,
    replicates: int,
    seed: int,
    progress: Callable[[], None],
    image_groups: Sequence[ImageGroup],
) -> TestComparison:
    rng = np.random.default_rng(seed)
    fraction = largest_fraction(runs)
    classes = tuple(runs.runs[0].tests[name].source['classes'])
    weights = None
    groups: dict[tuple[str, float], dict[int, tuple[TestedRun, dict[str, np.ndarray]]]] = {}
    details: dict[str, list[ArmDetail]] = {}
    for run in sorted(runs.runs, key=lambda run: run.seed):
        evaluation = _evaluate(run, name, classes)
        matches = read_matches(evaluation, classes)
        if weights is None:
            weights = draw_weights(len(matches.images), replicates, rng)
            image_ids, boxes = matches.images, sum(c.truths.sum() for c in matches.cells['all'])
            annotations = run.tests[name].source['annotations']
            boxes_by_image = sum(c.truths for c in matches.cells['all'])
            few_negatives = np.count_nonzero(boxes_by_image == 0) < MIN_NEGATIVES
            masks = group_masks(annotations, image_ids, image_groups)
        measured = figures(score(matches, weights), matches)
        measured |= {key: _stat(evaluation, key) for key in SIZE_FIGURES}
        answers, score_thr = _read_answers(run.tests[name], classes)
        measured |= answer_figures(answers, score_thr, weights)
        for group, mask in masks.items():
            in_group = weights * mask
            chosen = figures(score(matches, in_group), matches)
            chosen |= answer_figures(answers, score_thr, in_group)
            measured |= {f'{figure} in {group}': chosen[figure] for figure in GROUP_FIGURES}
        groups.setdefault((run.arm, run.fraction), {})[run.seed] = (run, measured)
        if run.fraction == fraction:
            confusion = answers.confusion_matrix(score_thr)
            detail = _detail(run, evaluation, matches, confusion)
            details.setdefault(run.arm, []).append(detail)
        progress()
    unresampled = {*SIZE_FIGURES, *(['negatives clean'] if few_negatives else [])}
    results = {key: _result(rows, rng, len(image_ids), unresampled) for key, rows in groups.items()}
    differences = _differences(results, runs, rng, len(image_ids))
    return TestComparison(
        name, classes, image_ids, int(boxes), matches.recall, results, differences,
        {arm: _average(details[arm]) for arm in runs.arms},
        {group: int(mask.sum()) for group, mask in masks.items()},
    )  # fmt: skip


def _evaluate(run: TestedRun, name: str, classes: tuple[str, ...]) -> COCOeval:
    report = run.tests[name]
    for path in (report.source['annotations'], report.predictions):
        try:
            open(path, 'rb').close()
        except OSError as error:
            raise DataError(f'{run.folder}: cannot read {path}: {error.strerror}') from error
    return evaluate(report.source['annotations'], report.predictions, classes)


def _read_answers(report: TestReport, classes: tuple[str, ...]) -> tuple[Answers, float]:
    answers = read_answers(report.source['annotations'], report.predictions, classes)
    return answers, report.score_threshold


def _result(
    rows: dict[int, tuple[TestedRun, dict[str, np.ndarray]]],
    rng: np.random.Generator,
    images: int,
    unresampled: set[str],
) -> ArmResult:
    names = next(iter(rows.values()))[1]
    values = {name: np.stack([measured[name] for _, measured in rows.values()]) for name in names}
    intervals = {
        name: mean_interval(value, rng, images)
        for name, value in values.items()
        if name not in unresampled
    }
    return ArmResult(list(rows), next(iter(rows.values()))[0].images, values, intervals)


def _differences(
    results: dict[tuple[str, float], ArmResult],
    runs: RunSet,
    rng: np.random.Generator,
    images: int,
) -> list[Difference]:
    found = []
    for (arm, fraction), result in results.items():
        reference = results.get((runs.reference, fraction))
        if arm == runs.reference or reference is None:
            continue
        common = [seed for seed in result.seeds if seed in reference.seeds]
        # At least two common seeds: one says nothing about the spread.
        most = max(len(result.seeds), len(reference.seeds))
        paired = len(common) > 1 or len(common) == most
        for figure in result.intervals:
            a, b = result.values[figure], reference.values[figure]
            a_common = a[[result.seeds.index(seed) for seed in common]]
            b_common = b[[reference.seeds.index(seed) for seed in common]]
            if paired:
                a, b = a_common, b_common
            interval = difference_interval(a, b, rng, images, paired)
            if interval:
                by_seed = tuple((a_common[:, 0] - b_common[:, 0]).tolist())
                found.append(
                    Difference(
                        arm, runs.reference, fraction, figure, interval, (len(a), len(b)), paired,
                        images, by_seed,
                    )
                )  # fmt: skip
    order = {arm: place for place, arm in enumerate(runs.arms)}
    return sorted(found, key=lambda d: (-d.fraction, order[d.arm]))


def _detail(
    run: TestedRun, evaluation: COCOeval, matches: Matches, confusion: np.ndarray
) -> ArmDetail:
    levels = [int(np.argmin(np.abs(evaluation.params.iouThrs - iou))) for iou in PR_IOU]
    precision = evaluation.eval['precision'][levels][..., 0, -1].copy()
    precision[precision < 0] = np.nan
    count = len(matches.images)
    without_one = np.concatenate([np.ones((1, count)), 1 - np.eye(count)])
    ap = figures(score(matches, without_one), matches)['AP']
    influence = np.nan_to_num(ap[0] - ap[1:])
    return ArmDetail(precision, confusion, influence, run)


def _average(details: list[ArmDetail]) -> ArmDetail:
    return ArmDetail(
        np.mean([detail.precision for detail in details], axis=0),
        np.mean([detail.confusion for detail in details], axis=0),
        np.mean([detail.influence for detail in details], axis=0),
        details[0].shown,
    )


def _stat(evaluation: COCOeval, name: str) -> np.ndarray:
    value = evaluation.stats[STATS.index(name)]
    return np.array([value if value > -1 else np.nan])
