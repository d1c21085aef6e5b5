"""Run a detector over many images and write one folder of results, with every failure named."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import supervision as sv

from ..datasets.images import normalized
from ..utils.atomic_files import write_json
from ..utils.csv_tables import write_csv
from ..utils.errors import ConfigError, UserError
from ..utils.progress import progress_bar
from ..visualization import contact_sheets as drawing
from ..visualization.detections import cut_out, draw_detections, save_jpeg
from .detector import PlateDetector
from .inputs import Picture
from .results import COLUMNS, Scale, find_scale, labels_of, to_coco, to_rows

#: Columns of ``images.csv``; those of the classes stand after ``detections``.
IMAGE_COLUMNS = (
    'image', 'width', 'height', 'detections', 'px_per_mm', 'scale_boxes', 'note', 'problem',
)  # fmt: skip
#: Longest part of an output file's path, in bytes; file systems allow 255 with suffix and number.
LONGEST_PART = 200

#: The overview shows so many images at most, the first ones.
OVERVIEW_IMAGES = 24
OVERVIEW_COLUMNS = 4
#: Width and height of an image on it, in pixels.
OVERVIEW_SIZE = (320, 240)


@dataclass
class BatchOptions:
    """How detections are made and what is written.

    Attributes:
        score_thr: Detections with lower scores are dropped; by default those below the detector's
            working threshold.
        tile: Side of tiles in pixels, see :class:`.PlateDetector`.
        overlap: Of tiles.
        overlays: Write images with drawn boxes, and an overview of the first.
        crops: Write each plate as a cropped image.
        crop_margin: Added to a crop on each side, as a fraction of the box's width and height.
        plate_diameter: In mm; gives sizes in mm.
        plate_class: The class that has this diameter.
    """

    score_thr: float | None = None
    tile: int | None = None
    overlap: float = 0.25
    overlays: bool = True
    crops: bool = False
    crop_margin: float = 0.0
    plate_diameter: float | None = None
    plate_class: str | None = None


@dataclass
class BatchResult:
    """Results of a batch.

    Attributes:
        out_dir: The folder that holds them.
        classes: Names by class id.
        images: By :func:`image_columns`, those that could not be used too.
        threshold: The score threshold and where it comes from, as text.
        rows: By :data:`.COLUMNS`, one a detection.
        thumbnails: Of the overview, uint8 (H, W, 3), RGB.
    """

    out_dir: Path
    threshold: str = ''
    classes: tuple[str, ...] = ()
    images: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    thumbnails: list[np.ndarray] = field(default_factory=list)

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The images that could not be used."""
        return [image for image in self.images if image['problem']]


def run_batch(
    detector: PlateDetector,
    pictures: Iterable[Picture],
    out_dir: str | Path,
    options: BatchOptions,
    total: int | None = None,
) -> BatchResult:
    """Detect plates in images one by one and write tables, pictures and what failed.

    Writes ``detections.csv``, ``detections.json`` (COCO), ``images.csv``, ``overview.jpg``,
    ``overlays/`` and ``crops/``. An interrupted batch leaves what it had found up to then.

    Args:
        detector: The detector.
        pictures: Of :func:`.pictures`.
        out_dir: An empty folder, or one that is not there yet.
        options: How detections are made and what is written.
        total: Number of pictures, for the progress bar.

    Raises:
        ConfigError: The folder holds something or cannot be written to.
    """
    check_options(options, detector.classes)
    given = options.score_thr
    threshold = str(detector.threshold) if given is None else f'{given:.2f} (as given)'
    result = BatchResult(make_out_dir(out_dir), threshold, detector.classes)
    names = UniqueNames()
    try:
        try:
            for picture in _with_progress(pictures, total):
                _add(result, detector, picture, options, names)
        finally:
            _write_tables(result)
            _write_overview(result)
    except KeyboardInterrupt:
        print(describe(result, options))
        raise
    except OSError as error:
        raise ConfigError(f'{out_dir} cannot be written to: {error}') from error
    return result


def make_out_dir(out_dir: str | Path) -> Path:
    """Make a folder for results; one that holds anything is refused.

    Raises:
        ConfigError: It holds something, is a file, or cannot be made.
    """
    out_dir = Path(out_dir)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        if any(out_dir.iterdir()):
            raise ConfigError(
                f'{out_dir} is not empty, and nothing is overwritten: name another folder (--out)'
            )
    except OSError as error:
        raise ConfigError(f'{out_dir} cannot be made a folder: {error.strerror}') from error
    return out_dir


def free_dir(stem: str | Path) -> Path:
    """The first of STEM, STEM_2, STEM_3 … that is not there yet."""
    stem = Path(stem)
    numbered = (stem.with_name(f'{stem.name}_{k}') for k in itertools.count(2))
    return next(path for path in itertools.chain([stem], numbered) if not path.exists())


def check_options(options: BatchOptions, classes: tuple[str, ...]) -> None:
    """Refuse options that cannot work, before any image is read.

    Raises:
        ConfigError: Naming the option.
    """
    if options.score_thr is not None and not 0 <= options.score_thr <= 1:
        raise ConfigError(f'--score-thr {options.score_thr}: expected 0 to 1')
    if options.tile is not None and options.tile < 32:
        raise ConfigError(f'--tile {options.tile}: expected 32 pixels or more')
    if not 0 <= options.overlap < 1:
        raise ConfigError(f'--overlap {options.overlap}: expected 0 to below 1, a share of a tile')
    if not 0 <= options.crop_margin < np.inf:
        raise ConfigError(f'--crop-margin {options.crop_margin}: expected 0 or more')
    if options.crop_margin and not options.crops:
        raise ConfigError('--crop-margin: takes --crops')
    if options.plate_diameter is not None and not 0 < options.plate_diameter < np.inf:
        raise ConfigError(f'--plate-diameter {options.plate_diameter}: expected millimeters')
    known = ', '.join(classes)
    if options.plate_class is not None and options.plate_class not in classes:
        raise ConfigError(f'--plate-class {options.plate_class}: the detector knows {known}')
    if options.plate_diameter and options.plate_class is None and len(classes) > 1:
        raise ConfigError(f'--plate-diameter: say whose, by --plate-class with one of {known}')


def describe(result: BatchResult, options: BatchOptions) -> str:
    """What was found, what failed and where everything is, to print."""
    used = len(result.images) - len(result.failures)
    lines = [f'{len(result.rows)} detections in {used} images']
    if result.threshold:
        lines.append(f'score threshold {result.threshold}; another one: --score-thr')
    notes = [image for image in result.images if image['note']]
    if notes:
        lines.append(f'{len(notes)} with a note on their scale in mm:')
        lines += [f'  {image["image"]}: {image["note"]}' for image in notes]
    if result.failures:
        lines.append(f'{len(result.failures)} could not be used:')
        lines += [f'  {image["image"]}: {image["problem"]}' for image in result.failures]
    lines += [
        f'everything is in {result.out_dir}',
        '  detections.csv   one line a detection',
        "  detections.json  the same in COCO's format",
        '  images.csv       one line an image: its number of detections by class, or its problem',
    ]
    if result.thumbnails:
        lines.append(f'  overview.jpg     the first {len(result.thumbnails)} images at a glance')
    if options.overlays:
        lines.append('  overlays/        images with drawn boxes')
    if options.crops:
        lines.append('  crops/           the plates cut out')
    return '\n'.join(lines)


def image_columns(classes: Sequence[str]) -> dict[str, str]:
    """Columns of ``images.csv``: for each class its own, by the class's name.

    Args:
        classes: Names by class id.

    Returns:
        Columns of the classes by class; a class named as another column gets a longer one.

    Example:
        >>> image_columns(['petri_dish', 'width'])
        {'petri_dish': 'petri_dish', 'width': 'width (class)'}
    """
    return {name: f'{name} (class)' if name in IMAGE_COLUMNS else name for name in classes}


def _add(
    result: BatchResult,
    detector: PlateDetector,
    picture: Picture,
    options: BatchOptions,
    names: UniqueNames,
) -> None:
    entry = dict.fromkeys(IMAGE_COLUMNS, '') | {'image': picture.name, 'detections': 0}
    rows: list[dict[str, Any]] = []
    try:
        image = picture.read()
        entry['height'], entry['width'] = image.shape[:2]
        found = detector(image, options.score_thr, options.tile, options.overlap)
    except UserError as error:
        entry['problem'] = str(error)
    except Exception as error:  # reported at the end, so that the other images are used
        entry['problem'] = f'{type(error).__name__}: {error}'
    else:
        rows = _write_pictures(result, entry, image, found, options, names)
    # Together and last: an image during which the batch is stopped is in none of the tables.
    result.images.append(entry)
    result.rows += rows


def _write_pictures(
    result: BatchResult,
    entry: dict[str, Any],
    image: np.ndarray,
    found: sv.Detections,
    options: BatchOptions,
    names: UniqueNames,
) -> list[dict[str, Any]]:
    """Write overlay and crops of one image and fill in its entry; returns its rows."""
    size = (entry['width'], entry['height'])
    stem = names.stem(entry['image'])
    scale = None
    if options.plate_diameter:
        scale = find_scale(found, options.plate_diameter, options.plate_class, size)
    _count(entry, result.classes, found, scale)
    crops = _save_crops(result.out_dir, stem, image, found, options) if options.crops else []
    if options.overlays:
        save_jpeg(draw_detections(image, found), result.out_dir / 'overlays' / f'{stem}.jpg')
        if len(result.thumbnails) < OVERVIEW_IMAGES:
            title = f'{len(found)} in {entry["image"]}'
            small = drawing.Drawing(image, found.xyxy, labels_of(found), title)
            result.thumbnails.append(drawing.tile(small, result.classes, OVERVIEW_SIZE))
    return to_rows(entry['image'], size, found, scale, crops)


def _count(
    entry: dict[str, Any], classes: Sequence[str], found: sv.Detections, scale: Scale | None
) -> None:
    entry['detections'] = len(found)
    for number, column in enumerate(image_columns(classes).values()):
        entry[column] = int(np.sum(labels_of(found) == number))
    if scale is not None:
        entry['note'] = scale.problem
        if scale.px_per_mm:
            entry |= {'px_per_mm': round(scale.px_per_mm, 4), 'scale_boxes': scale.boxes}


def _save_crops(
    out_dir: Path, stem: str, image: np.ndarray, found: sv.Detections, options: BatchOptions
) -> list[str]:
    files = []
    for number, box in enumerate(found.xyxy, 1):
        crop = cut_out(image, box, options.crop_margin)
        file = f'crops/{stem}_{number}.jpg'
        if crop is not None:
            save_jpeg(crop, out_dir / file)
        files.append(file if crop is not None else '')
    return files


def _write_tables(result: BatchResult) -> None:
    out_dir = result.out_dir
    write_csv(out_dir / 'detections.csv', COLUMNS, result.rows)
    by_class = image_columns(result.classes).values()
    columns = [*IMAGE_COLUMNS[:4], *by_class, *IMAGE_COLUMNS[4:]]
    blank = dict.fromkeys(by_class, '')
    write_csv(out_dir / 'images.csv', columns, ({**blank, **image} for image in result.images))
    used = [image for image in result.images if not image['problem']]
    write_json(out_dir / 'detections.json', to_coco(used, result.rows, result.classes))


def _write_overview(result: BatchResult) -> None:
    if result.thumbnails:
        page = drawing.page(result.thumbnails, OVERVIEW_COLUMNS)
        save_jpeg(page, result.out_dir / 'overview.jpg')


def _with_progress(pictures: Iterable[Picture], total: int | None) -> Iterator[Picture]:
    with progress_bar() as bar:
        yield from bar.track(pictures, total=total, description='images')


class UniqueNames:
    """Names of output files: the input's without its suffix, numbered if already taken."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def stem(self, name: str) -> str:
        """A path without suffix that no earlier call returned."""
        parts = PurePosixPath(name).with_suffix('').parts
        stem = first = '/'.join(map(_shortened, parts))
        number = 1
        while self._key(stem) in self.taken:
            number += 1
            stem = f'{first}-{number}'
        self.taken.add(self._key(stem))
        return stem

    def _key(self, stem: str) -> str:
        # Some file systems take X.jpg and x.JPG, or both spellings of an umlaut, for the same.
        return normalized(stem).casefold()


def _shortened(part: str) -> str:
    encoded = os.fsencode(part)
    return part if len(encoded) <= LONGEST_PART else encoded[:LONGEST_PART].decode(errors='ignore')
