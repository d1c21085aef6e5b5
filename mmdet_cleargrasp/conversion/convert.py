"""Conversion of a folder in any format to COCO's layout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from unicodedata import category

from ..datasets.images import read_image
from ..utils.draft_folders import draft_folder
from ..utils.errors import ConfigError, DataError
from ..utils.locks import FolderInUseError
from .classes import new_names
from .folder import Folder
from .formats import FORMATS, recognize
from .labels import Picture
from .options import ConversionOptions
from .orientation_sheet import draw_both_ways
from .source import Source
from .splitting import assign_splits
from .writing import ORIENTATION_SHEET, RECORD, Report, write_data_set

#: Threads that decode images.
READERS = 4
DEFAULTS = ConversionOptions()
#: Characters of a class's name, which is printed, drawn and a column of tables.
LONGEST_CLASS = 200


def convert(
    src: str | Path,
    out: str | Path,
    options: ConversionOptions = DEFAULTS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Convert a data set and write it atomically; the source is not modified.

    Args:
        src: The source's folder.
        out: Gets ``annotations/SPLIT.json``, ``SPLIT/`` with the images, and ``conversion.json``.
        options: Of the conversion.
        progress: Called with the number of images checked and in all.

    Raises:
        ConfigError: Invalid options, or ``out`` exists.
        DataError: Unknown format, or no image that can be converted.
    """
    src, out = Path(src), Path(out)
    folder = Folder(src)
    _check_out(src, out, options.overwrite)
    name = options.format_name or recognize(folder)
    source = FORMATS[name].read(folder).finish(options.drawn_on)
    for path, reason in folder.ignored:
        source.skip_ignored(path, reason)
    _take_unannotated(source, options.unannotated)
    _check_pixels(source, progress)
    if not source.pictures:
        raise DataError(f'{src}: no image could be converted. Skipped:\n{source.reasons()}')
    pictures = _by_name(source)
    classes = _use_classes(source, pictures, options.classes)
    splits = assign_splits(source, pictures, options)
    doubtful = _note_doubtful_orientation(source, pictures)
    try:
        with draft_folder(out) as draft:
            report = write_data_set(draft, source, name, pictures, splits, classes, options.link)
            if doubtful:
                draw_both_ways(draft / ORIENTATION_SHEET, pictures, classes)
            if out.exists():
                shutil.rmtree(out)
            draft.replace(out)
    except FolderInUseError as error:
        raise ConfigError(f'another conversion writes to {out}: {error}') from error
    return replace(report, out=out)


def _check_out(src: Path, out: Path, overwrite: bool) -> None:
    if out.is_symlink() and not out.is_dir():
        raise ConfigError(f'{out} is a link that leads to no folder; name another folder')
    if src.resolve() == out.resolve() or src.resolve().is_relative_to(out.resolve()):
        raise ConfigError(f'{out} would overwrite the source {src}; choose another folder')
    if out.resolve().is_relative_to(src.resolve()):
        raise ConfigError(
            f'{out} is inside the source {src}, which must not change; choose another'
        )
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / RECORD).is_file():
        raise ConfigError(
            f'{out} exists and was not written by a conversion; choose another folder'
        )
    if not overwrite:
        raise ConfigError(f'{out} exists; --overwrite replaces it')


def _take_unannotated(source: Source, wish: str | None) -> None:
    paths = source.unannotated()
    if not paths:
        return
    if wish == 'negative' or (wish is None and source.missing_is_negative):
        for path in paths:
            source.add_negative(path)
        source.notes.append(
            f'{len(paths)} images have no annotation and were kept as images without a plate; '
            '--unannotated skip skips them'
        )
        return
    for path in paths:
        source.skip_unannotated(path)
    source.notes.append(
        f'{len(paths)} images have no annotation and were skipped; --unannotated negative '
        'keeps them as images without a plate'
    )


def _check_pixels(source: Source, progress: Callable[[int, int], None]) -> None:
    """Skip images that cannot be decoded completely."""
    paths = sorted(source.pictures)
    progress(0, len(paths))
    # Decoding releases Python's lock.
    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as pool:
        for done, (path, fault) in enumerate(zip(paths, pool.map(_fault, paths), strict=True), 1):
            progress(done, len(paths))
            if fault:
                source.skip_image(path, fault)


def _fault(path: Path) -> str | None:
    try:
        read_image(path)
    except DataError as error:
        return str(error).replace(str(path), 'the image', 1)
    return None


def _by_name(source: Source) -> dict[str, Picture]:
    """Pictures by their path relative to their common folder."""
    common = os.path.commonpath({str(path.parent) for path in source.pictures})
    return {p.relative_to(common).as_posix(): source.pictures[p] for p in sorted(source.pictures)}


def _use_classes(
    source: Source, pictures: dict[str, Picture], wishes: tuple[str, ...]
) -> list[str]:
    """Rename, merge and drop classes, also in the pictures; returns the remaining classes."""
    names = new_names(source.classes, wishes)
    for name in names.values():
        if len(name) > LONGEST_CLASS or any(category(c) == 'Cc' for c in name):
            raise DataError(
                f'{source.folder.root}: the class {name[:60]!r} is too long, or has control '
                'characters: rename it in the source'
            )
    if not names:
        raise DataError(
            f'{source.folder.root}: no box in {len(pictures)} images. Skipped:\n'
            f'{source.reasons() or "  nothing"}'
        )
    dropped = {name for name in source.classes if name not in names}
    for file, picture in pictures.items():
        boxes, if_stored = (
            tuple(replace(b, label=names[b.label]) for b in boxes if b.label in names)
            for boxes in (picture.boxes, picture.if_stored)
        )
        pictures[file] = replace(picture, boxes=boxes, if_stored=if_stored)
    if dropped:
        source.notes.append(f'boxes of {", ".join(sorted(dropped))} were dropped, as asked for')
    return list(dict.fromkeys(names.values()))


def _note_doubtful_orientation(source: Source, pictures: dict[str, Picture]) -> bool:
    count = sum(bool(picture.if_stored) for picture in pictures.values())
    if count:
        source.notes.append(
            f'warning: {count} photographs have an EXIF rotation, and the labels do not show '
            f'whether boxes were drawn with it or without. {ORIENTATION_SHEET} shows both. '
            'Convert again with the right one: --drawn-on upright (used now) or --drawn-on stored'
        )
    return count > 0
