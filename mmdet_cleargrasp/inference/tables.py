"""Tables of a batch, written from its journal line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..utils.atomic_files import open_atomically
from ..utils.csv_tables import write_csv
from .journal import Result
from .results import COLUMNS, IMAGE_COLUMNS, coco_annotation, coco_categories, coco_image


def image_columns(classes: Sequence[str]) -> dict[str, str]:
    """Columns of ``images.csv``, one per class.

    Args:
        classes: Names by class id.

    Returns:
        Columns of the classes by class; a class named as another column gets a longer one.

    Example:
        >>> image_columns(['petri_dish', 'width'])
        {'petri_dish': 'petri_dish', 'width': 'width (class)'}
    """
    return {name: f'{name} (class)' if name in IMAGE_COLUMNS else name for name in classes}


def write_tables(
    out_dir: Path,
    results: Callable[[], Iterable[Result]],
    classes: Sequence[str],
    columns: Sequence[str] = COLUMNS,
) -> None:
    """Write ``detections.csv``, ``images.csv`` and ``detections.json``.

    Args:
        out_dir: The folder.
        results: Reads the results from the start; called for each table.
        classes: Names by class id.
        columns: Of ``detections.csv``.
    """
    rows = (row for _, rows in results() for row in rows)
    write_csv(out_dir / 'detections.csv', columns, rows)
    by_class = image_columns(classes).values()
    image_table = [*IMAGE_COLUMNS[:4], *by_class, *IMAGE_COLUMNS[4:]]
    blank = dict.fromkeys(by_class, '')
    write_csv(out_dir / 'images.csv', image_table, ({**blank, **image} for image, _ in results()))
    _write_coco(out_dir / 'detections.json', results, classes)


def _write_coco(
    path: Path, results: Callable[[], Iterable[Result]], classes: Sequence[str]
) -> None:
    """Write the result of :func:`.to_coco`, one image or annotation per line."""

    def used() -> Iterator[tuple[int, Result]]:
        return enumerate((result for result in results() if not result[0]['problem']), 1)

    def annotations() -> Iterator[dict[str, Any]]:
        found = ((k, row) for k, (_, rows) in used() for row in rows)
        for number, (image_id, row) in enumerate(found, 1):
            yield coco_annotation(number, image_id, row, classes)

    parts = {
        'images': (coco_image(k, image) for k, (image, _) in used()),
        'annotations': annotations(),
        'categories': coco_categories(classes),
    }
    with open_atomically(path) as file:
        for name, entries in parts.items():
            file.write(f'{"," if name != "images" else "{"}\n"{name}": ['.encode())
            for number, entry in enumerate(entries):
                text = json.dumps(entry, ensure_ascii=False)
                file.write(f'{"," if number else ""}\n{text}'.encode(errors='backslashreplace'))
            file.write(b'\n]')
        file.write(b'\n}\n')
