"""The comparison as tables: in the terminal, as CSV and in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...utils.atomic_files import write_atomically
from ...utils.csv_tables import write_csv
from .comparing import (
    ANSWER_FIGURES,
    ANSWER_FIGURES_BY_CLASS,
    GROUP_FIGURES,
    Difference,
    TestComparison,
    largest_fraction,
)
from .costs import Cost
from .runs import RunSet
from .wording import cautions, describe_difference, signed

#: Figures with a sentence in the summary: one of COCO's and one of the answers.
HEADLINES = ('AP', 'F1')
#: Figures of the summary, and their column headings.
OVERALL = {'AP': 'AP', 'AP50': 'AP50', 'AP75': 'AP75', 'AR': 'AR'}
COCO_TITLE = 'COCO: boxes of each class, at all scores'
ANSWERS_TITLE = "Answers: one box a plate, from each run's score threshold on"
GROUPS_TITLE = 'Groups of images, with the number of images'
BY_SIZE = {'AP_small': 'AP small', 'AP_medium': 'AP medium', 'AP_large': 'AP large'}


@dataclass(frozen=True)
class Part:
    """A table of the summary.

    Attributes:
        title: Kind of its figures.
        figures: Their names, and the headings of their columns.
    """

    title: str
    figures: dict[str, str]


def parts(comparison: TestComparison) -> list[Part]:
    """The tables of a summary: figures of COCO and of the answers, overall and by class.

    Args:
        comparison: On one test set.
    """
    names = {name: name.replace('_', ' ') for name in comparison.classes}
    coco = {f'AP {name}': f'AP {text}' for name, text in names.items()}
    answers = {
        f'{figure} {name}': f'{figure} {text}'
        for name, text in names.items()
        for figure in ANSWER_FIGURES_BY_CLASS
    }
    groups = {
        f'{figure} in {group}': f'{figure} {group} ({size})'
        for group, size in comparison.groups.items()
        for figure in GROUP_FIGURES
    }
    found = [
        Part(COCO_TITLE, OVERALL),
        Part(f'{COCO_TITLE}, by size and class', BY_SIZE | coco),
        Part(ANSWERS_TITLE, {name: name for name in ANSWER_FIGURES}),
        Part(f'{ANSWERS_TITLE}, by class', answers),
    ]
    return [*found, Part(GROUPS_TITLE, groups)] if groups else found


def cell(mean: float, spread: float = math.nan) -> str:
    """A mean with its spread over seeds.

    Example:
        >>> cell(0.41234, 0.0123), cell(0.5), cell(math.nan)
        ('0.412 ± 0.012', '0.500', '–')
    """
    if math.isnan(mean):
        return '–'
    return f'{mean:.3f}' if math.isnan(spread) else f'{mean:.3f} ± {spread:.3f}'


def summary_rows(
    runs: RunSet, comparison: TestComparison, fraction: float, figures: Iterable[str]
) -> list[list[str]]:
    """One row per arm: name, seeds, and mean ± spread of each figure.

    Args:
        runs: That were compared.
        comparison: On one test set.
        fraction: Percent of the training images.
        figures: Such as those of one of :func:`parts`.
    """
    rows = []
    for arm in runs.arms:
        result = comparison.results.get((arm, fraction))
        if result:
            cells = [cell(result.mean(key), result.spread(key)) for key in figures]
            rows.append([arm, str(len(result.seeds)), *cells])
    return rows


def difference_row(difference: Difference) -> list[str]:
    """Fraction of the images, arm, figure, difference, interval and verdict of one difference."""
    d, interval = difference, difference.interval
    if interval.low == interval.high == 0:
        verdict = 'none at all'
    elif interval.covers_zero:
        verdict = 'not shown'
    else:
        verdict = 'higher' if interval.estimate > 0 else 'lower'
        verdict += '' if interval.over_seeds else ' in these models'
    ends = f'{signed(interval.low)} to {signed(interval.high)}'
    return [f'{d.fraction:g} %', d.arm, d.figure, signed(interval.estimate), ends, verdict]


def headline(runs: RunSet, comparison: TestComparison) -> list[Difference]:
    """Differences in :data:`HEADLINES` on the largest common fraction of the training images.

    Args:
        runs: That were compared.
        comparison: On one test set.
    """
    fraction = largest_fraction(runs)
    return [d for d in comparison.differences if d.fraction == fraction and d.figure in HEADLINES]


def cost_row(arm: str, cost: Cost) -> list[str]:
    """Name, parameters, trained parameters, operations, and seconds per image of an arm."""
    flops = '–' if cost.flops is None else f'{cost.flops / 1e9:.1f}'
    seconds = '–' if cost.seconds is None else f'{cost.seconds:.3f}'
    return [arm, f'{cost.parameters / 1e6:.2f}', f'{cost.trained / 1e6:.2f}', flops, seconds]


COST_HEADINGS = ('arm', 'parameters, M', 'trained, M', 'GFLOPs', 's/image')
DIFFERENCE_HEADINGS = ('data', 'arm', 'figure', 'difference', '95 % interval', 'difference is')


def print_comparison(
    console: Console,
    runs: RunSet,
    comparisons: Sequence[TestComparison],
    costs: dict[str, Cost],
) -> None:
    """Print tables, and a sentence for each difference.

    Args:
        console: To print to.
        runs: That were compared.
        comparisons: One a test set.
        costs: By arm; may be empty.
    """
    fraction = largest_fraction(runs)
    for comparison in comparisons:
        images = f'{len(comparison.image_ids)} images, {comparison.boxes} boxes'
        console.print(f'{comparison.name}: {images}; mean ± spread over seeds')
        for part in parts(comparison)[::2]:
            rows = summary_rows(runs, comparison, fraction, part.figures)
            _print(console, part.title, ['arm', 'seeds', *part.figures.values()], rows)
        title = f'{comparison.name}: difference to {runs.reference}'
        shown = [d for d in comparison.differences if d.figure in HEADLINES]
        _print(console, title, DIFFERENCE_HEADINGS, map(difference_row, shown))
    if costs:
        rows = [cost_row(arm, cost) for arm, cost in costs.items()]
        _print(console, 'cost', COST_HEADINGS, rows)
    for line in [*sentences(runs, comparisons), *runs.notes]:
        console.print(line, markup=False, highlight=False)


def sentences(runs: RunSet, comparisons: Sequence[TestComparison]) -> list[str]:
    """Conclusions on AP and F1 for the largest subset of images, and cautions.

    Args:
        runs: That were compared.
        comparisons: One a test set.
    """
    shown = [(c.name, d) for c in comparisons for d in headline(runs, c)]
    lines = [describe_difference(difference, name) for name, difference in shown]
    return lines + cautions([d for _, d in shown], count_differences(comparisons))


def count_differences(comparisons: Sequence[TestComparison]) -> int:
    """Number of differences that have an interval, on all test sets.

    Args:
        comparisons: One a test set.
    """
    return sum(len(comparison.differences) for comparison in comparisons)


def write_csv_files(
    runs: RunSet, comparisons: Sequence[TestComparison], folder: Path
) -> list[Path]:
    """Write every figure of every run, and every difference.

    Args:
        runs: That were compared.
        comparisons: One a test set.
        folder: Gets ``runs.csv`` and ``differences.csv``.

    Returns:
        Both files.
    """
    by_run = [
        [comparison.name, arm, f'{fraction:g}', seed, figure, _number(value)]
        for comparison in comparisons
        for (arm, fraction), result in comparison.results.items()
        for part in parts(comparison)
        for figure in part.figures
        for seed, value in zip(result.seeds, result.values[figure][:, 0], strict=True)
    ]
    differences = [
        [comparison.name, d.arm, d.reference, f'{d.fraction:g}', d.figure]
        + [_number(v) for v in (d.interval.estimate, d.interval.low, d.interval.high)]
        + [*d.seeds, d.images, d.interval.over_seeds]
        for comparison in comparisons
        for d in comparison.differences
    ]
    files = [folder / 'runs.csv', folder / 'differences.csv']
    headings = ['test', 'arm', 'percent', 'seed', 'figure', 'value']
    write_csv(files[0], headings, (dict(zip(headings, row, strict=True)) for row in by_run))
    headings = ['test', 'arm', 'reference', 'percent', 'figure', 'difference', 'low', 'high']
    headings += ['arm_seeds', 'reference_seeds', 'images', 'over_seeds']
    write_csv(files[1], headings, (dict(zip(headings, row, strict=True)) for row in differences))
    return files


def write_markdown(
    runs: RunSet,
    comparisons: Sequence[TestComparison],
    costs: dict[str, Cost],
    path: Path,
) -> Path:
    """Write the answer and the tables, to put into a text.

    Args:
        runs: That were compared.
        comparisons: One a test set.
        costs: By arm; may be empty.
        path: The file.

    Returns:
        The file.
    """
    fraction = largest_fraction(runs)
    blocks = [f'# {runs.question or "Comparison of " + ", ".join(runs.arms)}']
    blocks.append('\n'.join(f'- {line}' for line in [*sentences(runs, comparisons), *runs.notes]))
    for comparison in comparisons:
        blocks.append(f'## {comparison.name}')
        blocks.append(
            f'{len(comparison.image_ids)} images, {comparison.boxes} boxes; mean ± standard '
            f'deviation over seeds, trained on {fraction:g} % of the images.'
        )
        for part in parts(comparison):
            rows = summary_rows(runs, comparison, fraction, part.figures)
            blocks.append(f'{part.title}:')
            blocks.append(_markdown(['arm', 'seeds', *part.figures.values()], rows))
        shown = [
            d for d in comparison.differences if d.figure in HEADLINES or d.fraction == fraction
        ]
        blocks.append(f'Differences to {runs.reference}:')
        blocks.append(_markdown(DIFFERENCE_HEADINGS, map(difference_row, shown)))
    if costs:
        rows = [cost_row(arm, cost) for arm, cost in costs.items()]
        blocks += ['## Cost', _markdown(COST_HEADINGS, rows)]
    text = '\n\n'.join(blocks) + '\n'
    return write_atomically(path, text.encode(errors='backslashreplace'))


def _print(
    console: Console, title: str, headings: Iterable[str], rows: Iterable[list[str]]
) -> None:
    table = Table(title=escape(title), title_justify='left')
    for heading in headings:
        table.add_column(escape(heading), no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def _markdown(headings: Iterable[str], rows: Iterable[list[str]]) -> str:
    headings = list(headings)
    lines = [headings, ['---'] * len(headings), *rows]
    return '\n'.join(
        f'| {" | ".join(t.replace("|", chr(92) + "|") for t in row)} |' for row in lines
    )


def _number(value: float) -> str:
    return '' if math.isnan(value) else f'{value:.6f}'
