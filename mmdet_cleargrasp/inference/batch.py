"""Many images through a detector, into one folder of results, whatever some of them are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import supervision as sv

from ..utils.atomic_files import write_json
from ..utils.errors import ConfigError, UserError
from ..utils.progress import progress_bar
from ..visualization import contact_sheets as drawing
from ..visualization.detections import cut_out, draw_detections, save_jpeg
from .detector import PlateDetector
from .inputs import Picture
from .results import COLUMNS, find_scale, to_coco, to_rows, write_csv

#: Columns of ``images.csv``.
IMAGE_COLUMNS = ('image', 'width', 'height', 'detections', 'problem')

#: The overview shows so many images at most, the first ones.
OVERVIEW_IMAGES = 24
OVERVIEW_COLUMNS = 4
#: Width and height of an image on it, in pixels.
OVERVIEW_SIZE = (320, 240)


@dataclass
class BatchOptions:
    """How images are looked at and what is written of each.

    Attributes:
        score_thr: Detections with lower scores are dropped; by default those below the detector's
            working threshold.
        tile: Side of tiles in pixels, see :class:`.PlateDetector`.
        overlap: Of tiles.
        overlays: Write images with drawn boxes, and an overview of the first.
        crops: Write each plate cut out.
        plate_diameter: In mm; gives sizes in mm.
        plate_class: The class that has this diameter.
    """

    score_thr: float | None = None
    tile: int | None = None
    overlap: float = 0.25
    overlays: bool = True
    crops: bool = False
    plate_diameter: float | None = None
    plate_class: str | None = None


@dataclass
class BatchResult:
    """What came of a batch.

    Attributes:
        out_dir: Where it is.
        images: By :data:`IMAGE_COLUMNS`, those that could not be used too.
        threshold: The score threshold and where it comes from, as text.
        rows: By :data:`.COLUMNS`, one a detection.
        thumbnails: Of the overview, uint8 (H, W, 3), RGB.
    """

    out_dir: Path
    threshold: str = ''
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
    """Look at images one by one and write what was found, with their faults beside it.

    Writes ``detections.csv``, ``detections.json`` (COCO), ``images.csv``, ``overview.jpg``,
    ``overlays/`` and ``crops/``. An interrupted batch leaves what it had found up to then.

    Args:
        detector: The detector.
        pictures: Of :func:`.pictures`.
        out_dir: An empty folder, or one that is not there yet.
        options: How.
        total: How many, for the progress bar.

    Raises:
        ConfigError: The folder holds something or cannot be written to.
    """
    check_options(options, detector.classes)
    given = options.score_thr
    threshold = str(detector.threshold) if given is None else f'{given:.2f} (as given)'
    result = BatchResult(make_out_dir(out_dir), threshold)
    names = _UniqueNames()
    try:
        try:
            for picture in _with_progress(pictures, total):
                _add(result, detector, picture, options, names)
        finally:
            _write_tables(result, detector.classes)
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
    if result.failures:
        lines.append(f'{len(result.failures)} could not be used:')
        lines += [f'  {image["image"]}: {image["problem"]}' for image in result.failures]
    lines += [
        f'everything is in {result.out_dir}',
        '  detections.csv   one line a detection',
        "  detections.json  the same in COCO's format",
        '  images.csv       one line an image, with its number of detections or its problem',
    ]
    if result.thumbnails:
        lines.append(f'  overview.jpg     the first {len(result.thumbnails)} images at a glance')
    if options.overlays:
        lines.append('  overlays/        images with drawn boxes')
    if options.crops:
        lines.append('  crops/           the plates cut out')
    return '\n'.join(lines)


def _add(
    result: BatchResult,
    detector: PlateDetector,
    picture: Picture,
    options: BatchOptions,
    names: _UniqueNames,
) -> None:
    entry = dict.fromkeys(IMAGE_COLUMNS, '') | {'image': picture.name, 'detections': 0}
    result.images.append(entry)
    try:
        image = picture.read()
        entry['height'], entry['width'] = image.shape[:2]
        found = detector(image, options.score_thr, options.tile, options.overlap)
    except UserError as error:
        entry['problem'] = str(error)
        return
    except Exception as error:  # the next image may do: this one's fault is told at the end
        entry['problem'] = f'{type(error).__name__}: {error}'
        return
    entry['detections'] = len(found)
    stem = names.stem(picture.name)
    scale = None
    if options.plate_diameter:
        scale = find_scale(found, options.plate_diameter, options.plate_class)
    crops = _save_crops(result.out_dir, stem, image, found) if options.crops else []
    size = (entry['width'], entry['height'])
    result.rows += to_rows(picture.name, size, found, scale, crops)
    if options.overlays:
        save_jpeg(draw_detections(image, found), result.out_dir / 'overlays' / f'{stem}.jpg')
        if len(result.thumbnails) < OVERVIEW_IMAGES:
            title = f'{len(found)} in {picture.name}'
            small = drawing.Drawing(image, found.xyxy, found.class_id, title)
            result.thumbnails.append(drawing.tile(small, detector.classes, OVERVIEW_SIZE))


def _save_crops(out_dir: Path, stem: str, image: np.ndarray, found: sv.Detections) -> list[str]:
    files = []
    for number, box in enumerate(found.xyxy, 1):
        crop = cut_out(image, box)
        file = f'crops/{stem}_{number}.jpg'
        if crop is not None:
            save_jpeg(crop, out_dir / file)
        files.append(file if crop is not None else '')
    return files


def _write_tables(result: BatchResult, classes: tuple[str, ...]) -> None:
    out_dir = result.out_dir
    write_csv(out_dir / 'detections.csv', COLUMNS, result.rows)
    write_csv(out_dir / 'images.csv', IMAGE_COLUMNS, result.images)
    used = [image for image in result.images if not image['problem']]
    write_json(out_dir / 'detections.json', to_coco(used, result.rows, classes))


def _write_overview(result: BatchResult) -> None:
    if result.thumbnails:
        page = drawing.page(result.thumbnails, OVERVIEW_COLUMNS)
        save_jpeg(page, result.out_dir / 'overview.jpg')


def _with_progress(pictures: Iterable[Picture], total: int | None) -> Iterator[Picture]:
    with progress_bar() as bar:
        yield from bar.track(pictures, total=total, description='images')


class _UniqueNames:
    """Names for output files: the input's without its suffix, numbered where taken already."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def stem(self, name: str) -> str:
        stem = first = PurePosixPath(name).with_suffix('').as_posix()
        number = 1
        # Some file systems take X.jpg and x.JPG for the same.
        while stem.casefold() in self.taken:
            number += 1
            stem = f'{first}-{number}'
        self.taken.add(stem.casefold())
        return stem
