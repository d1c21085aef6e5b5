"""Run a detector over many images, and write one folder of results that lists every failure."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import supervision as sv

from ..datasets.images import normalized
from ..utils.errors import ConfigError, UserError
from ..utils.locks import lock_folder
from ..utils.progress import progress_bar
from ..visualization import contact_sheets as drawing
from ..visualization.detections import cut_out, draw_detections, save_jpeg
from .detector import MAX_OVERLAP, MAX_TILE, PlateDetector
from .inputs import Picture
from .journal import Journal, Result, Shard, open_folder, read_results, unfinished_shards
from .results import IMAGE_COLUMNS, Scale, find_scale, labels_of, to_rows
from .tables import image_columns, write_tables

#: Longest part of an output file's path, in bytes; file systems allow 255 with suffix and number.
LONGEST_PART = 200

#: Maximum number of images in the overview.
OVERVIEW_IMAGES = 24
OVERVIEW_COLUMNS = 4
#: Width and height of an image in the overview, in pixels.
OVERVIEW_SIZE = (320, 240)
OVERVIEW_FILE = 'overview.jpg'

#: Number of images that are read ahead.
READ_AHEAD = 1


@dataclass
class BatchOptions:
    """Options of detection and output.

    Attributes:
        score_thr: Detections with lower scores are dropped; by default those below the detector's
            working threshold.
        tile: Side of tiles in pixels, see :class:`.PlateDetector`.
        overlap: Of tiles.
        overlays: Write images with drawn boxes, and an overview of the first.
        crops: Write each plate as a cropped image.
        crop_margin: Margin of a crop on each side, as a fraction of the box's width and height.
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
    """Results of a batch; those of the images are on disk.

    Attributes:
        out_dir: The folder with the results.
        threshold: The score threshold and its source, as text.
        classes: Names by class id.
        shard: The images that this process worked on.
        unfinished: Numbers of shards that lack results; tables are written when there are none.
        images: Number of images, including those that could not be used.
        detections: Number of detections.
        failures: By :func:`.image_columns`, the images that could not be used.
        notes: The images with a note on their scale.
        thumbnails: Of the overview, uint8 (H, W, 3), RGB.
    """

    out_dir: Path
    threshold: str = ''
    classes: tuple[str, ...] = ()
    shard: Shard = field(default_factory=Shard)
    unfinished: list[int] = field(default_factory=list)
    images: int = 0
    detections: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    thumbnails: list[np.ndarray] = field(default_factory=list)

    def results(self) -> Iterator[Result]:
        """Read the results image by image: a row of ``images.csv``, and its detections."""
        return read_results(self.out_dir, self.shard.count, self.classes)


def run_batch(
    detector: PlateDetector,
    pictures: Iterable[Picture],
    out_dir: str | Path,
    options: BatchOptions,
    total: int | None = None,
    shard: Shard | None = None,
    source: str = '',
) -> BatchResult:
    """Detect plates in images one by one, and write tables, pictures and failures.

    Writes ``detections.csv``, ``detections.json`` (COCO), ``images.csv``, ``overview.jpg``,
    ``overlays/`` and ``crops/``. An interrupted batch keeps its results; called again with the same
    folder, it continues with the images without results. While an image is in the network, the next
    one is read and pictures of the last one are written.

    Args:
        detector: The detector.
        pictures: Of :func:`.pictures`.
        out_dir: An empty or new folder, or the one of the same batch.
        options: Options of detection and output.
        total: Number of pictures, for the progress bar.
        shard: The images to work on, if several processes share a batch. The one that ends last
            writes the tables of all.
        source: The folder that names of images are relative to.

    Raises:
        ConfigError: The folder contains other files, cannot be written to, or another process
            works on the same images.
    """
    check_options(options, detector.classes)
    out_dir, shard = Path(out_dir), shard or Shard()
    given = options.score_thr
    threshold = str(detector.threshold) if given is None else f'{given:.2f} (as given)'
    settings = {'detector': detector.identity, 'source': source, 'shards': shard.count}
    open_folder(out_dir, {**settings, **asdict(options)})
    result = BatchResult(out_dir, threshold, detector.classes, shard)
    try:
        with lock_folder(out_dir, f'.{shard.file_name}.lock'):
            journal = Journal(out_dir, shard)
            try:
                with progress_bar() as bar:
                    shown = bar.track(pictures, total=total, description='images')
                    _process(result, journal, detector, shown, options)
                journal.finish()
            finally:
                _write_summary(result)
    except KeyboardInterrupt:
        print(describe(result, options))
        raise
    except OSError as error:
        raise ConfigError(f'{out_dir} cannot be written to: {error}') from error
    return result


def free_dir(stem: str | Path) -> Path:
    """The first of STEM, STEM_2, STEM_3 … that does not exist."""
    stem = Path(stem)
    numbered = (stem.with_name(f'{stem.name}_{k}') for k in itertools.count(2))
    return next(path for path in itertools.chain([stem], numbered) if not path.exists())


def check_options(options: BatchOptions, classes: tuple[str, ...]) -> None:
    """Refuse invalid options before any image is read.

    Raises:
        ConfigError: Naming the option.
    """
    if options.score_thr is not None and not 0 <= options.score_thr <= 1:
        raise ConfigError(f'--score-thr {options.score_thr}: expected 0 to 1')
    if options.tile is not None and not 32 <= options.tile <= MAX_TILE:
        raise ConfigError(f'--tile {options.tile}: expected 32 to {MAX_TILE} pixels')
    if not 0 <= options.overlap <= MAX_OVERLAP:
        raise ConfigError(f'--overlap {options.overlap}: expected 0 to {MAX_OVERLAP}, of a tile')
    if not 0 <= options.crop_margin < np.inf:
        raise ConfigError(f'--crop-margin {options.crop_margin}: expected 0 or more')
    if options.crop_margin and not options.crops:
        raise ConfigError('--crop-margin requires --crops')
    if options.plate_diameter is not None and not 0 < options.plate_diameter < np.inf:
        raise ConfigError(f'--plate-diameter {options.plate_diameter}: expected millimeters')
    known = ', '.join(classes)
    if options.plate_class is not None and options.plate_class not in classes:
        raise ConfigError(f'--plate-class {options.plate_class}: the detector has {known}')
    if options.plate_diameter and options.plate_class is None and len(classes) > 1:
        raise ConfigError(f'--plate-diameter: name the class with --plate-class, one of {known}')


def describe(result: BatchResult, options: BatchOptions) -> str:
    """Summary to print: detections, failures and files."""
    shard = result.shard
    if shard.count > 1 and result.unfinished:
        others = ', '.join(map(str, result.unfinished))
        return (
            f'shard {shard.number} of {shard.count}: its results are in {result.out_dir}. '
            f'Unfinished shards: {others}. The shard that ends last writes the tables.'
        )
    used = result.images - len(result.failures)
    lines = [f'{result.detections} detections in {used} images']
    if result.threshold:
        lines.append(f'score threshold {result.threshold}; another one: --score-thr')
    if result.notes:
        lines.append(f'{len(result.notes)} images with a note on their scale in mm:')
        lines += [f'  {image["image"]}: {image["note"]}' for image in result.notes]
    if result.failures:
        lines.append(f'{len(result.failures)} images could not be used:')
        lines += [f'  {image["image"]}: {image["problem"]}' for image in result.failures]
    if result.unfinished:
        lines.append(f'interrupted; the same command with --out {result.out_dir} continues')
    lines += [
        f'everything is in {result.out_dir}',
        '  detections.csv   one line per detection',
        "  detections.json  the same in COCO's format",
        '  images.csv       one line per image: its number of detections by class, or its problem',
    ]
    if (result.out_dir / OVERVIEW_FILE).exists():
        lines.append('  overview.jpg     the first images with boxes')
    if options.overlays:
        lines.append('  overlays/        images with drawn boxes')
    if options.crops:
        lines.append('  crops/           crops of the plates')
    return '\n'.join(lines)


def _process(
    result: BatchResult,
    journal: Journal,
    detector: PlateDetector,
    pictures: Iterable[Picture],
    options: BatchOptions,
) -> None:
    """Read, detect and write, each in its own thread; results are in the order of the images."""
    todo = _without_results(pictures, journal, result.shard)
    writing: Future[Result] | None = None
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        try:
            for picture, stem, reading in _read_ahead(todo, reader):
                entry, image, found = _detect(detector, picture.name, reading, options)
                if writing is not None:
                    journal.add(*writing.result())
                writing = writer.submit(_write_pictures, result, entry, image, found, options, stem)
        finally:
            # The image that is processed when the batch is stopped has no results.
            if writing is not None:
                journal.add(*writing.result())


def _without_results(
    pictures: Iterable[Picture], journal: Journal, shard: Shard
) -> Iterator[tuple[Picture, str]]:
    """The images of a shard that have no results, each with a name for its pictures."""
    names = UniqueNames()
    for index, picture in enumerate(pictures):
        stem = names.stem(picture.name)  # the same in all shards
        if shard.has(index) and picture.name not in journal.done:
            yield picture, stem


def _read_ahead(
    pictures: Iterable[tuple[Picture, str]], reader: ThreadPoolExecutor
) -> Iterator[tuple[Picture, str, Future[np.ndarray]]]:
    waiting: deque[tuple[Picture, str, Future[np.ndarray]]] = deque()
    for picture, stem in pictures:
        waiting.append((picture, stem, reader.submit(picture.read)))
        if len(waiting) > READ_AHEAD:
            yield waiting.popleft()
    yield from waiting


def _detect(
    detector: PlateDetector, name: str, reading: Future[np.ndarray], options: BatchOptions
) -> tuple[dict[str, Any], np.ndarray | None, sv.Detections | None]:
    """An image's row, pixels and detections; only the row if it cannot be used."""
    entry = dict.fromkeys(IMAGE_COLUMNS, '') | {'image': name, 'detections': 0}
    try:
        image = reading.result()
        entry['height'], entry['width'] = image.shape[:2]
        return entry, image, detector(image, options.score_thr, options.tile, options.overlap)
    except UserError as error:
        entry['problem'] = str(error)
    except Exception as error:  # reported at the end, so that the other images are used
        entry['problem'] = f'{type(error).__name__}: {error}'
    return entry, None, None


def _write_pictures(
    result: BatchResult,
    entry: dict[str, Any],
    image: np.ndarray | None,
    found: sv.Detections | None,
    options: BatchOptions,
    stem: str,
) -> Result:
    """Write overlay and crops of one image, and complete its results."""
    if image is None or found is None:
        return entry, []
    size = (entry['width'], entry['height'])
    scale = None
    if options.plate_diameter:
        scale = find_scale(found, options.plate_diameter, options.plate_class, size)
    _count(entry, result.classes, found, scale)
    crops = _save_crops(result.out_dir, stem, image, found, options) if options.crops else []
    if options.overlays:
        save_jpeg(draw_detections(image, found), result.out_dir / 'overlays' / f'{stem}.jpg')
        if result.shard.number == 1 and len(result.thumbnails) < OVERVIEW_IMAGES:
            title = f'{len(found)} in {entry["image"]}'
            small = drawing.Drawing(image, found.xyxy, labels_of(found), title)
            result.thumbnails.append(drawing.tile(small, result.classes, OVERVIEW_SIZE))
    return entry, to_rows(entry['image'], size, found, scale, crops)


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


def _write_summary(result: BatchResult) -> None:
    """Fill in the counts, and write overview and tables."""
    result.unfinished = unfinished_shards(result.out_dir, result.shard.count)
    if result.thumbnails and result.shard.number not in result.unfinished:
        page = drawing.page(result.thumbnails, OVERVIEW_COLUMNS)
        save_jpeg(page, result.out_dir / OVERVIEW_FILE)
    if result.shard.count > 1 and result.unfinished:
        return
    for entry, rows in result.results():
        result.images += 1
        result.detections += len(rows)
        result.failures += [entry] if entry['problem'] else []
        result.notes += [entry] if entry['note'] else []
    write_tables(result.out_dir, result.results, result.classes)


class UniqueNames:
    """Names of output files: the input's name without suffix, numbered if already used."""

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
        # On some file systems, X.jpg and x.JPG, or both Unicode forms of an umlaut, are the same.
        return normalized(stem).casefold()


def _shortened(part: str) -> str:
    encoded = os.fsencode(part)
    return part if len(encoded) <= LONGEST_PART else encoded[:LONGEST_PART].decode(errors='ignore')
