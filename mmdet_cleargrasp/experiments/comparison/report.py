"""The comparison as one self-contained HTML page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console

from ...engine.run_config import load_config
from ...evaluation.answers import IOU_THRESHOLD
from ...utils.atomic_files import write_atomically
from ...utils.errors import UserError
from ...version import __version__
from ..config_differences import config_differences
from . import charts, tables
from .comparing import REPLICATES, TestComparison, compare, largest_fraction
from .costs import Cost, architecture, measure_cost
from .groups import ImageGroup
from .pictures import telling_images
from .runs import RunSet
from .wording import cautions, count, describe_difference

HTML_FILE, MARKDOWN_FILE = 'comparison.html', 'comparison.md'


def write_comparison(
    runs: RunSet,
    out_dir: str | Path,
    console: Console,
    replicates: int = REPLICATES,
    cost: bool = True,
    speed: bool = False,
    pictures: int = 3,
    groups: Sequence[ImageGroup] = (),
) -> list[Path]:
    """Compare runs, print what was found and write it as CSV, Markdown and HTML.

    Args:
        runs: From :func:`.collect_runs`.
        out_dir: Folder for the files; created if needed.
        console: For the tables.
        replicates: Resamplings of the images.
        cost: Count each arm's parameters and operations.
        speed: Time each arm on this machine.
        pictures: Images drawn for each arm and test set.
        groups: Groups of images with separate figures.

    Returns:
        The files.

    Raises:
        DataError: Annotations or predictions that do not exist any more.
    """
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    total = len(runs.runs) * len(runs.tests)
    with console.status('comparing') as status:
        done = iter(range(1, total + 1))
        comparisons = compare(
            runs,
            replicates,
            progress=lambda: status.update(f'tests read: {next(done)} of {total}'),
            groups=groups,
        )
        status.update('counting parameters and operations')
        costs = arm_costs(runs, speed) if cost else {}
        status.update('drawing')
        page = out_dir / HTML_FILE
        html = render_html(runs, comparisons, costs, replicates, pictures)
        write_atomically(page, html.encode(errors='backslashreplace'))
    tables.print_comparison(console, runs, comparisons, costs)
    markdown = tables.write_markdown(runs, comparisons, costs, out_dir / MARKDOWN_FILE)
    return [page, markdown, *tables.write_csv_files(runs, comparisons, out_dir)]


def arm_costs(runs: RunSet, speed: bool = False) -> dict[str, Cost]:
    """Measure the cost of each arm; arms whose config is missing or cannot be built get a note.

    Args:
        runs: That are compared; notes are added.
        speed: Time each arm on this machine.
    """
    costs: dict[str, Cost] = {}
    counted: dict[str, Cost] = {}
    for arm in runs.arms:
        run = next(run for run in runs.runs if run.arm == arm)
        try:
            same = architecture(run)
            if speed or same not in counted:
                counted[same] = measure_cost(run, speed)
            costs[arm] = counted[same]
        except (UserError, RuntimeError, KeyError, TypeError, ValueError) as error:
            text = str(error).splitlines()[0] if str(error) else type(error).__name__
            runs.notes.append(f'The cost of {arm} could not be measured: {text}')
    return costs


def render_html(
    runs: RunSet,
    comparisons: Sequence[TestComparison],
    costs: dict[str, Cost],
    replicates: int = REPLICATES,
    pictures: int = 3,
) -> str:
    """The page.

    Args:
        runs: That were compared.
        comparisons: One a test set.
        costs: By arm; may be empty.
        replicates: Resamplings of the images that the intervals come from.
        pictures: Images drawn for each arm and test set.

    Returns:
        HTML with embedded charts and images, without external links.
    """
    environment = Environment(
        loader=PackageLoader(__package__, '.'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    colors = charts.arm_colors(runs.arms)
    shown = [(c.name, d) for c in comparisons for d in tables.headline(runs, c)]
    return environment.get_template('report.html.j2').render(
        runs=runs,
        title=runs.question or f'Comparison of {", ".join(runs.arms)}',
        answers=[(describe_difference(d, test), _tone(d.interval)) for test, d in shown],
        cautions=[
            *cautions([d for _, d in shown], tables.count_differences(comparisons)),
            *runs.notes,
        ],
        colors=colors,
        classes={arm: f'arm-{index}' for index, arm in enumerate(runs.arms)},
        fraction=f'{largest_fraction(runs):g}',
        replicates=replicates,
        few_shot=charts.few_shot_chart(runs, comparisons),
        training=charts.training_chart(runs),
        tests=[_section(runs, comparison, colors, pictures) for comparison in comparisons],
        cost_headings=tables.COST_HEADINGS,
        costs=[tables.cost_row(arm, cost) for arm, cost in costs.items()],
        cost_size=sorted({'{} × {}'.format(*cost.size) for cost in costs.values()}),
        differing=_differing(runs),
        iou=IOU_THRESHOLD,
        version=__version__,
        count=count,
    )


def _section(
    runs: RunSet, comparison: TestComparison, colors: dict[str, str], pictures: int
) -> dict[str, Any]:
    fraction = largest_fraction(runs)
    others = [arm for arm in runs.arms if arm != runs.reference]
    main = [d for d in comparison.differences if d.fraction == fraction]
    smaller = [
        d for d in comparison.differences if d.fraction < fraction and d.figure in tables.HEADLINES
    ]
    return {
        'name': comparison.name,
        'anchor': re.sub(r'\W', '-', comparison.name),
        'images': len(comparison.image_ids),
        'boxes': comparison.boxes,
        'scores': [charts.scores_chart(runs, comparison, f) for f in tables.HEADLINES],
        'pr': charts.pr_chart(runs, comparison),
        'summaries': [
            (
                part.title,
                ['arm', 'seeds', *part.figures.values()],
                tables.summary_rows(runs, comparison, fraction, part.figures),
            )
            for part in tables.parts(comparison)
        ],
        'difference_headings': tables.DIFFERENCE_HEADINGS,
        'differences': [tables.difference_row(d) for d in main],
        'few_shot_differences': [tables.difference_row(d) for d in smaller],
        'labels': [*comparison.classes, 'nothing'],
        'confusion': {
            arm: _matrix(comparison.details[arm].confusion.tolist()) for arm in runs.arms
        },
        'telling': {
            arm: telling_images(comparison, arm, runs.reference, colors, pictures) for arm in others
        },
    }


def _matrix(rows: list[list[float]]) -> list[list[tuple[str, float]]]:
    """Counts as text, with their shares of the row; empty for zero."""
    last = len(rows) - 1
    return [
        [
            ('', 0.0) if (r, k) == (last, last) else (f'{value:.1f}', value / (sum(row) or 1))
            for k, value in enumerate(row)
        ]
        for r, row in enumerate(rows)
    ]


def _tone(interval: Any) -> str:
    return 'open' if interval.covers_zero or not interval.over_seeds else 'shown'


def _differing(runs: RunSet) -> list[tuple[str, list[str]]]:
    """The values in which the arms' configs differ, apart from work dirs and seeds."""
    fraction = largest_fraction(runs)
    configs = {}
    for arm in runs.arms:
        run = next(run for run in runs.runs if (run.arm, run.fraction) == (arm, fraction))
        if not run.config.is_file():
            return []
        configs[arm] = load_config(run.config)
        tested = next(iter(run.tests.values())).source['checkpoint']
        if Path(configs[arm].get('load_from') or '').absolute() == Path(tested):
            configs[arm].load_from = None
    found = config_differences(configs)
    return [(key, [row[arm] for arm in runs.arms]) for key, row in found.items()]
