"""What a conversion did, as a table and a picture to check it by."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..datasets.layout import find_splits
from ..visualization.contact_sheets import annotated, page, save, tile
from .convert import RECORD, SHEET, Report
from .formats import FORMATS

#: Pictures on the sheet, and in a row of it.
PICTURES, COLUMNS = 24, 6
#: Examples that are named of every reason why something was left out.
EXAMPLES = 3


def write_summary(report: Report, console: Console | None = None) -> Path:
    """Print a table and draw a contact sheet of what was written.

    Args:
        report: Of :func:`.convert`.
        console: Where to print.

    Returns:
        The contact sheet.
    """
    console = console or Console(soft_wrap=True, highlight=False)
    title = FORMATS[report.format].TITLE
    console.print(f'\nread as {report.format}: {title}', markup=False)
    console.print(table(report))
    for note in report.notes:
        console.print(f'note: {note}', markup=False)
    for line in skipped_lines(report):
        console.print(line, markup=False)
    sheet = draw_sheet(report.out)
    console.print(f'\neverything is in {report.out}', markup=False)
    console.print(f'  look at it       {sheet}', markup=False)
    console.print(f'  all left out     {report.out / RECORD}', markup=False)
    console.print(
        f'next: python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root {report.out}',
        markup=False,
    )
    return sheet


def table(report: Report) -> Table:
    """Images, images without a plate, and boxes by class, a row a split."""
    rows = Table('split', 'images', 'no plate', 'boxes')
    for name in report.classes:
        rows.add_column(name, overflow='fold')
    for split, images in report.images.items():
        counts = report.boxes[split]
        numbers = [images, report.negatives[split], sum(counts.values())]
        rows.add_row(split, *map(str, numbers + [counts.get(name, 0) for name in report.classes]))
    return rows


def skipped_lines(report: Report) -> list[str]:
    """A line for every reason why something was left out, with its count and examples."""
    counts = Counter(skipped.reason for skipped in report.skipped)
    lines = [f'left out: {len(report.skipped)}'] if counts else []
    for reason, count in counts.most_common():
        names = [skipped.what for skipped in report.skipped if skipped.reason == reason]
        more = f' and {count - EXAMPLES} more' if count > EXAMPLES else ''
        lines.append(f'  {count} x {reason} ({", ".join(names[:EXAMPLES])}{more})')
    return lines


def draw_sheet(out: Path) -> Path:
    """Draw images of all splits with the boxes that were written, spread evenly."""
    splits = find_splits(out)
    tiles = []
    for name, split in splits.items():
        drawings, classes = annotated(split, -(-PICTURES // len(splits)), name)
        tiles += [tile(drawing, classes) for drawing in drawings]
    return save(out / SHEET, page(tiles, COLUMNS))
