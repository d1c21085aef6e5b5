"""What the page hands on: tables, pictures, files of other tools, and data sets to train on."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from PIL import Image

from ..conversion.convert import convert
from ..conversion.options import ConversionOptions
from ..inference.batch import BatchResult, image_columns, write_tables
from ..inference.exports import FORMATS, check_formats, export
from ..inference.results import COLUMNS, Scale, to_coco, to_rows
from ..utils.atomic_files import write_json
from ..utils.errors import DataError
from ..visualization.boxes import draw_boxes, label_text
from ..visualization.detections import save_jpeg
from ..visualization.palette import class_color
from .photographs import Photograph, PlateBox, to_detections

#: Column of ``detections.csv`` beside :data:`.COLUMNS`.
CORRECTED = 'corrected'
README = """Boxes corrected on the page of mmdet_cleargrasp.

{what}
Train on them, starting from the detector that comes with the repository:
  python tools/train.py configs/frcnn_plates_finetuned.py --data-root {folder}
"""


@dataclass(frozen=True)
class Item:
    """One photograph as it is handed on: a snapshot that later corrections do not change."""

    photograph: Photograph
    boxes: list[PlateBox]
    px_per_mm: float | None
    view: Path


def write_download(kind: str, items: Sequence[Item], classes: Sequence[str], folder: Path) -> IO:
    """Write a download into a file that has no name on the disk any more, so that nothing remains.

    Args:
        kind: In :data:`KINDS`.
        items: The photographs.
        classes: Names by class id.
        folder: Private, for what is written meanwhile.

    Returns:
        The open file, at its beginning.

    Raises:
        DataError: There is nothing to write.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix='download_') as name:
        target = Path(name) / 'plates'
        target.mkdir()
        result = _to_batch(items, classes, target)
        KINDS[kind](result, items, target)
        if kind.endswith('.csv') or kind.endswith('.json'):
            return (target / kind).open('rb')
        return _zipped(target, folder)


def _to_batch(items: Sequence[Item], classes: Sequence[str], folder: Path) -> BatchResult:
    """The photographs as a batch of ``infer``."""
    result = BatchResult(folder, classes=tuple(classes))
    for item in items:
        photograph = item.photograph
        scale = Scale(item.px_per_mm, 1) if item.px_per_mm else None
        found = to_detections(item.boxes, classes)
        size = (photograph.width, photograph.height)
        rows = to_rows(photograph.name, size, found, scale)
        for row, box in zip(rows, item.boxes, strict=True):
            row['score'] = '' if box.score is None else round(box.score, 4)
            row[CORRECTED] = 'yes' if box.corrected else ''
        result.rows += rows
        counts = {
            column: sum(box.label == name for box in item.boxes)
            for name, column in image_columns(classes).items()
        }
        result.images.append(
            {
                'image': photograph.name,
                'width': photograph.width,
                'height': photograph.height,
                'detections': len(rows),
                **counts,
                'px_per_mm': round(item.px_per_mm, 4) if item.px_per_mm else '',
                'scale_boxes': 1 if item.px_per_mm else '',
                'note': '' if photograph.checked_at is None else 'checked',
                'problem': '',
            }
        )
    return result


def _tables(result: BatchResult, items: Sequence[Item], folder: Path) -> None:
    write_tables(result, (*COLUMNS[:-1], CORRECTED))
    write_json(folder / 'detections.json', _coco(result))


def _everything(result: BatchResult, items: Sequence[Item], folder: Path) -> None:
    _tables(result, items, folder)
    for item in items:
        picture = _draw(item, result.classes)
        save_jpeg(picture, folder / 'pictures' / f'{Path(item.photograph.name).stem}.jpg')


def _draw(item: Item, classes: Sequence[str]) -> np.ndarray:
    with Image.open(item.view) as image:
        pixels = np.asarray(image.convert('RGB'))
    factor = pixels.shape[1] / item.photograph.width
    boxes = to_detections(item.boxes, classes).xyxy * factor
    # The longer side of a small photograph is enlarged, so that labels can be read.
    if max(pixels.shape[:2]) < 800:
        grow = 800 / max(pixels.shape[:2])
        pixels = cv2.resize(pixels, None, fx=grow, fy=grow, interpolation=cv2.INTER_CUBIC)
        boxes = boxes * grow
    texts = [label_text(box.label, box.score) for box in item.boxes]
    colors = [class_color(classes.index(box.label)) for box in item.boxes]
    return draw_boxes(pixels, boxes, texts, colors)


def _exported(name: str) -> Any:
    def write(result: BatchResult, items: Sequence[Item], folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent) as root:
            _place(items, Path(root))
            for row in result.rows:  # formats of labels have numbers only
                row['score'] = 1.0 if row['score'] == '' else row['score']
            export(result, root, [name])

    return write


def _data_set(result: BatchResult, items: Sequence[Item], folder: Path) -> None:
    """The layout that ``--data-root`` takes, with a fifth of the photographs for validation."""
    if not result.rows:
        raise DataError('There is no box in these photographs: draw at least one.')
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        source = Path(name)
        _place(items, source / 'images')
        write_json(source / 'annotations.json', _coco(result))
        if sum(bool(item.boxes) for item in items) > 1:
            drawn = ConversionOptions(format_name='coco', drawn_on='upright')
            convert(source, folder / 'data', drawn)
            what = 'The photographs are split at random into train and val.'
        else:
            shutil.copytree(source, folder / 'data')
            what = 'They are not split: to_coco.py needs two photographs with boxes for that.'
    for path in (folder / 'data').iterdir():
        path.rename(folder / path.name)
    (folder / 'data').rmdir()
    (folder / 'README.txt').write_text(README.format(what=what, folder='THIS_FOLDER'))


def _coco(result: BatchResult) -> dict[str, Any]:
    content = to_coco(result.images, result.rows, result.classes)
    for annotation in content['annotations']:
        if annotation['score'] == '':  # drawn by hand
            del annotation['score']
    return content


def _place(items: Sequence[Item], folder: Path) -> None:
    """The uploads under the users' names; hard links where the file system can."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in items:
        target = folder / item.photograph.name
        with contextlib.suppress(OSError):
            os.link(item.photograph.file, target)
        if not target.exists():
            shutil.copyfile(item.photograph.file, target)


def _zipped(source: Path, folder: Path) -> IO:
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  the response closes it
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(path for path in source.rglob('*') if path.is_file()):
            archive.write(path, path.relative_to(source.parent))
    file.seek(0)
    return file


#: Downloads by name; all but single tables are zip files.
KINDS = {
    'results': _everything,
    'dataset': _data_set,
    'detections.csv': _tables,
    'images.csv': _tables,
    'detections.json': _tables,
    **{name: _exported(name) for name in FORMATS},
}


def installed_kinds() -> list[str]:
    """The downloads whose packages are installed."""

    def works(kind: str) -> bool:
        try:
            check_formats([kind] if kind in FORMATS else [])
        except Exception:  # a ConfigError names what is missing; the page offers the others
            return False
        return True

    return [kind for kind in KINDS if works(kind)]
