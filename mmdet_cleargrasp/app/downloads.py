"""Write the downloads of the page: tables, drawn images, label formats and data sets."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from PIL import Image

from ..conversion.convert import convert
from ..conversion.options import ConversionOptions
from ..conversion.writing import RECORD
from ..inference.exports import FORMATS, Box, Labeled, check_formats, export_suffix
from ..inference.results import COLUMNS, Scale, to_coco, to_rows
from ..inference.tables import image_columns, write_tables
from ..utils.atomic_files import write_json
from ..utils.errors import ConfigError, DataError
from ..visualization.boxes import draw_boxes, label_text
from ..visualization.detections import save_jpeg
from ..visualization.palette import class_color
from .photographs import Photograph, PlateBox, to_detections

#: Column of ``detections.csv`` in addition to :data:`.COLUMNS`.
CORRECTED = 'corrected'
#: README.txt of a downloaded data set.
README = """Boxes corrected on the page of mmdet_cleargrasp.

{what}
Train on them, starting from the detector that comes with the repository:
  python tools/train.py configs/frcnn_plates_finetuned.py --data-root {folder}
"""

#: Function that writes a download of photographs with the given classes into an empty folder.
Writer = Callable[[Sequence['Item'], Sequence[str], Path], None]


@dataclass(frozen=True)
class Item:
    """A photograph to export: a snapshot that later corrections do not change.

    Attributes:
        photograph: The photograph.
        boxes: Boxes that are shown.
        px_per_mm: Scale in pixels per mm; ``None`` if it is not known.
    """

    photograph: Photograph
    boxes: list[PlateBox]
    px_per_mm: float | None


def write_download(
    kind: str, items: Sequence[Item], classes: Sequence[str], folder: Path
) -> IO[bytes]:
    """Write a download to a temporary file without a name, which is gone once it is closed.

    Args:
        kind: Kind of download, one of :data:`KINDS`.
        items: Photographs to export.
        classes: Class names by id.
        folder: Private folder for temporary files.

    Returns:
        The open file, at its beginning: a zip archive, or the table or JSON file itself.

    Raises:
        DataError: A data set is requested, and no photograph has a box.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix='download_') as name:
        target = Path(name) / 'plates'
        target.mkdir()
        KINDS[kind](items, classes, target)
        if kind.endswith(('.csv', '.json')):
            return (target / kind).open('rb')
        return _zipped(target, folder)


def _tables(items: Sequence[Item], classes: Sequence[str], folder: Path) -> None:
    results = [(_image_row(item, classes), _box_rows(item, classes)) for item in items]
    write_tables(folder, lambda: results, classes, (*COLUMNS[:-1], CORRECTED))
    write_json(folder / 'detections.json', _coco(items, classes))


def _image_row(item: Item, classes: Sequence[str]) -> dict[str, Any]:
    """Return the row of ``images.csv``."""
    photograph, scaled = item.photograph, item.px_per_mm is not None
    return {
        'image': photograph.name,
        'width': photograph.width,
        'height': photograph.height,
        'detections': len(item.boxes),
        **{
            column: sum(box.label == name for box in item.boxes)
            for name, column in image_columns(classes).items()
        },
        'px_per_mm': round(item.px_per_mm, 4) if item.px_per_mm else '',
        'scale_boxes': 1 if scaled else '',
        'note': '' if photograph.checked_at is None else 'checked',
        'problem': '',
    }


def _box_rows(item: Item, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of ``detections.csv``; boxes drawn by hand have no score."""
    photograph = item.photograph
    scale = Scale(item.px_per_mm, 1) if item.px_per_mm else None
    size = (photograph.width, photograph.height)
    rows = to_rows(photograph.name, size, to_detections(item.boxes, classes), scale)
    for row, box in zip(rows, item.boxes, strict=True):
        row['score'] = '' if box.score is None else round(box.score, 4)
        row[CORRECTED] = 'yes' if box.corrected else ''
    return rows


def _write_results(items: Sequence[Item], classes: Sequence[str], folder: Path) -> None:
    _tables(items, classes, folder)
    for item in items:
        picture = _draw(item, classes)
        save_jpeg(picture, folder / 'pictures' / f'{Path(item.photograph.name).stem}.jpg')


def _draw(item: Item, classes: Sequence[str]) -> np.ndarray:
    with Image.open(item.photograph.view()) as image:
        pixels = np.asarray(image.convert('RGB'))
    factor = pixels.shape[1] / item.photograph.width
    boxes = to_detections(item.boxes, classes).xyxy * factor
    # Small photographs are enlarged, so that labels can be read.
    if max(pixels.shape[:2]) < 800:
        grow = 800 / max(pixels.shape[:2])
        pixels = cv2.resize(pixels, None, fx=grow, fy=grow, interpolation=cv2.INTER_CUBIC)
        boxes = boxes * grow
    texts = [label_text(box.label, box.score) for box in item.boxes]
    colors = [class_color(classes.index(box.label)) for box in item.boxes]
    return draw_boxes(pixels, boxes, texts, colors)


def _exported(name: str) -> Writer:
    def write(items: Sequence[Item], classes: Sequence[str], folder: Path) -> None:
        FORMATS[name](folder, [_labeled(item) for item in items], classes)

    return write


def _labeled(item: Item) -> Labeled:
    photograph = item.photograph
    boxes = tuple(
        # Label formats need a score for every box.
        Box(b.label, 1.0 if b.score is None else b.score, b.left, b.top, b.right, b.bottom)
        for b in item.boxes
    )
    suffix = export_suffix(photograph.name, photograph.file)
    name = f'{Path(photograph.name).stem}{suffix}'
    return Labeled(photograph.file, name, photograph.width, photograph.height, boxes)


def _data_set(items: Sequence[Item], classes: Sequence[str], folder: Path) -> None:
    """Write a data set in the layout for ``--data-root``, with 20 % of photographs in val."""
    if not any(item.boxes for item in items):
        raise DataError('There is no box in these photographs: draw at least one.')
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        source = Path(name)
        _link_uploads(items, source / 'images')
        write_json(source / 'annotations.json', _coco(items, classes))
        if sum(bool(item.boxes) for item in items) > 1:
            drawn = ConversionOptions(format_name='coco', drawn_on='upright')
            convert(source, folder / 'data', drawn)
            (folder / 'data' / RECORD).unlink()  # it has paths of the server
            what = 'The photographs are split at random into train and val.'
        else:
            shutil.copytree(source, folder / 'data')
            what = 'They are not split: this needs at least two photographs with boxes.'
    for path in (folder / 'data').iterdir():
        path.rename(folder / path.name)
    (folder / 'data').rmdir()
    (folder / 'README.txt').write_text(README.format(what=what, folder='THIS_FOLDER'))


def _coco(items: Sequence[Item], classes: Sequence[str]) -> dict[str, Any]:
    images = [_image_row(item, classes) for item in items]
    rows = [row for item in items for row in _box_rows(item, classes)]
    content = to_coco(images, rows, classes)
    for annotation in content['annotations']:
        if annotation['score'] == '':  # drawn by hand
            del annotation['score']
    return content


def _link_uploads(items: Sequence[Item], folder: Path) -> None:
    """Link the uploads under the names that users gave them, or copy where links fail."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in items:
        target = folder / item.photograph.name
        with contextlib.suppress(OSError):
            os.link(item.photograph.file, target)
        if not target.exists():
            shutil.copyfile(item.photograph.file, target)


def _zipped(source: Path, folder: Path) -> IO[bytes]:
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  the response closes it
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(path for path in source.rglob('*') if path.is_file()):
            archive.write(path, path.relative_to(source.parent))
    file.seek(0)
    return file


#: Functions that write the downloads, by kind. A kind that is a file name is not zipped.
KINDS: dict[str, Writer] = {
    'results': _write_results,
    'dataset': _data_set,
    'detections.csv': _tables,
    'images.csv': _tables,
    'detections.json': _tables,
    **{name: _exported(name) for name in FORMATS},
}


def installed_kinds() -> list[str]:
    """Return the kinds of downloads whose packages are installed."""

    def works(kind: str) -> bool:
        try:
            check_formats([kind] if kind in FORMATS else [])
        except ConfigError:
            return False
        return True

    return [kind for kind in KINDS if works(kind)]
