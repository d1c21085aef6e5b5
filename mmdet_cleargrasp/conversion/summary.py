"""Summary of a conversion: a table and a contact sheet."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..datasets.layout import find_splits
from ..visualization.contact_sheets import annotated, page, save, tile
from .formats import FORMATS
from .writing import ORIENTATION_SHEET, RECORD, SHEET, Report

#: Images on the sheet, and per row.
PICTURES, COLUMNS = 24, 6
#: Number of examples for each reason for skipping.
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
    console.print(f'\nread as {report.format}: {FORMATS[report.format].TITLE}', markup=False)
    console.print(table(report))
    for note in sorted(report.notes, key=lambda note: note.startswith('warning:')):
        console.print(note if note.startswith('warning:') else f'note: {note}', markup=False)
    for line in skipped_lines(report):
        console.print(line, markup=False)
    sheet = draw_sheet(report.out)
    lines = [f'\neverything is in {report.out}', f'  look at it       {sheet}']
    if report.doubtful:
        lines.append(f'  boxes both ways  {report.out / ORIENTATION_SHEET}')
    lines += [
        f'  all skipped      {report.out / RECORD}',
        f'next: python tools/train.py configs/frcnn_cleargrasp_plates.py --data-root {report.out}',
    ]
    for line in lines:
        console.print(line, markup=False)
    return sheet


def table(report: Report) -> Table:
    """Images, images without a plate, and boxes by class, one row per split."""
    rows = Table('split', 'images', 'no plate', 'boxes')
    for name in report.classes:
        rows.add_column(Text(name), overflow='fold')
    for split, images in report.images.items():
        counts = report.boxes[split]
        numbers = [images, report.negatives[split], sum(counts.values())]
        rows.add_row(split, *map(str, numbers + [counts.get(name, 0) for name in report.classes]))
    return rows


def skipped_lines(report: Report) -> list[str]:
    """A line for every reason for skipping, with its count and examples."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for skipped in report.skipped:
        by_reason[skipped.reason].append(skipped.where)
    lines = [f'skipped: {len(report.skipped)}'] if by_reason else []
    for reason, names in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        more = f' and {len(names) - EXAMPLES} more' if len(names) > EXAMPLES else ''
        lines.append(f'  {len(names)} x {reason} ({", ".join(names[:EXAMPLES])}{more})')
    return lines


def draw_sheet(out: Path) -> Path:
    """Draw images of all splits with the boxes that were written, spread evenly."""
    splits = find_splits(out)
    tiles = []
    for name, split in splits.items():
        drawings, classes = annotated(split, -(-PICTURES // len(splits)), name)
        tiles += [tile(drawing, classes) for drawing in drawings]
    return save(out / SHEET, page(tiles, COLUMNS))
