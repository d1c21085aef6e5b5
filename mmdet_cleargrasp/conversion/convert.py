"""From a folder in some format to a data set that training reads."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..datasets.annotations import write_coco
from ..datasets.images import read_image
from ..utils.errors import ConfigError, DataError
from .formats import FORMATS, recognize
from .source import Folder, Picture, Skipped, Source
from .splitting import part

#: Marks a folder that a conversion wrote; says from what and how, with all that was left out.
RECORD = 'conversion.json'
SHEET = 'contact_sheet.jpg'
SPLITS = ('train', 'val', 'test')


@dataclass(frozen=True)
class Report:
    """What a conversion did.

    Attributes:
        out: The folder that was written.
        format: The source's format, in :data:`.FORMATS`.
        images: By split; ``negatives``, those without a box, likewise.
        boxes: Boxes by class, by split.
        classes: In the order of the categories.
        skipped: What was left out.
        notes: How the source was understood.
    """

    out: Path
    format: str
    images: dict[str, int]
    negatives: dict[str, int]
    boxes: dict[str, dict[str, int]]
    classes: list[str]
    skipped: list[Skipped]
    notes: list[str]


def convert(
    src: str | Path,
    out: str | Path,
    format_name: str | None = None,
    rename: Mapping[str, str] | None = None,
    group_by: str | None = None,
    resplit: bool = False,
    val: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
    unannotated: str | None = None,
    link: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Convert a data set and write it whole or not at all; the source is only read.

    Args:
        src: The source's folder.
        out: Gets ``annotations/SPLIT.json``, ``SPLIT/`` with the images, a contact
            sheet and ``conversion.json``.
        format_name: In :data:`.FORMATS`; by default found by looking.
        rename: New names of classes; equal ones are merged.
        group_by: See :func:`.part`; parts anew whatever the source says.
        resplit: Part at random even where the source has splits.
        val: Share for validation, where images are parted here.
        test: Share for the test, likewise.
        seed: Of the parting.
        unannotated: ``'negative'`` takes images that nothing is said of as ones
            without plates, ``'skip'`` leaves them out; by default the former where every image
            has an annotation file of its own, the latter where a file lists the images.
        link: Hard links in place of copies, where the file system can.
        overwrite: Replace ``out`` where a conversion wrote it.
        progress: Called with the images checked and in all.

    Raises:
        ConfigError: Options that cannot work, or an ``out`` that is in the way.
        DataError: No known format, or nothing that can be converted.
    """
    src, out = Path(src), Path(out)
    _check_out(src, out, overwrite)
    folder = Folder(src)
    name = format_name or recognize(folder)
    source = FORMATS[name].read(folder)
    for path in folder.links_out:
        source.skip(path, 'a link that leads out of the folder')
    _take_unannotated(source, name, unannotated)
    _drop_unreadable(source, progress)
    source.finish()
    pictures = _by_name(source)
    classes = _rename(source, pictures, rename or {})
    splits = _splits(source, pictures, resplit, group_by, val, test, seed)
    draft = out.with_name(f'.{out.name}.{os.getpid()}.partial')
    try:
        report = _write(source, name, pictures, splits, classes, draft, link)
        if out.exists():
            shutil.rmtree(out)
        draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return replace(report, out=out)


def _check_out(src: Path, out: Path, overwrite: bool) -> None:
    if src.resolve() == out.resolve() or src.resolve().is_relative_to(out.resolve()):
        raise ConfigError(f'{out} would be written over the source {src}; name another folder')
    if out.resolve().is_relative_to(src.resolve()):
        raise ConfigError(f'{out} is inside the source {src}, which is left as it is; name another')
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / RECORD).is_file():
        raise ConfigError(f'{out} exists and was not written by a conversion; name another folder')
    if not overwrite:
        raise ConfigError(f'{out} exists; --overwrite replaces it')


def _take_unannotated(source: Source, name: str, wish: str | None) -> None:
    paths = source.unannotated()
    if not paths:
        return
    listed = FORMATS[name].LISTS_IMAGES
    if (wish or ('skip' if listed else 'negative')) == 'skip':
        source.notes.append(
            f'{len(paths)} images have no annotation and were left out; --unannotated negative '
            'takes them as images without a plate'
        )
        return
    for path in paths:
        source.add(path, ())
    source.notes.append(
        f'{len(paths)} images have no annotation and were taken as images without a plate; '
        '--unannotated skip leaves them out'
    )


def _drop_unreadable(source: Source, progress: Callable[[int, int], None]) -> None:
    """Leave out images that cannot be decoded to the end."""
    paths = sorted(source.pictures)
    progress(0, len(paths))
    # Decoding releases Python's lock.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for done, (path, problem) in enumerate(
            zip(paths, pool.map(_decoding_problem, paths), strict=True), 1
        ):
            progress(done, len(paths))
            if problem:
                source.skip(path, problem)
                del source.pictures[path]


def _decoding_problem(path: Path) -> str | None:
    try:
        read_image(path)
    except DataError as error:
        return str(error).replace(str(path), 'image', 1)
    return None


def _by_name(source: Source) -> dict[str, Picture]:
    """Pictures by their path below the folder that is common to all."""
    common = os.path.commonpath({str(path.parent) for path in source.pictures})
    return {p.relative_to(common).as_posix(): source.pictures[p] for p in sorted(source.pictures)}


def _rename(source: Source, pictures: dict[str, Picture], rename: Mapping[str, str]) -> list[str]:
    unknown = [name for name in rename if name not in source.classes]
    if unknown:
        raise ConfigError(
            f'--classes {unknown[0]}={rename[unknown[0]]}: no class {unknown[0]!r}; there are '
            f'{", ".join(source.classes) or "none"}'
        )
    for name, picture in pictures.items():
        boxes = tuple(replace(b, label=rename.get(b.label, b.label)) for b in picture.boxes)
        pictures[name] = replace(picture, boxes=boxes)
    classes = list(dict.fromkeys(rename.get(name, name) for name in source.classes))
    if not classes:
        raise DataError(f'{source.folder.root}: no box and no class in {len(pictures)} images')
    return classes


def _splits(
    source: Source,
    pictures: dict[str, Picture],
    resplit: bool,
    group_by: str | None,
    val: float,
    test: float,
    seed: int,
) -> dict[str, str]:
    told = {picture.split for picture in pictures.values()}
    if 'train' in told and told & {'val', 'test'} and not resplit and group_by is None:
        source.notes.append("the source's own splits were kept; --resplit or --group-by parts anew")
        for name in [name for name, picture in pictures.items() if picture.split is None]:
            source.skip(name, 'in none of the splits')
            del pictures[name]
        return {name: str(picture.split) for name, picture in pictures.items()}
    return part(pictures.items(), group_by, val, test, seed)


def _write(
    source: Source,
    name: str,
    pictures: dict[str, Picture],
    splits: dict[str, str],
    classes: list[str],
    draft: Path,
    link: bool,
) -> Report:
    ids = {label: k for k, label in enumerate(classes, 1)}
    there = [split for split in SPLITS if split in splits.values()]
    report = Report(draft, name, {}, {}, {}, classes, source.skipped, source.notes)
    for split in there:
        images, annotations, counts = [], [], Counter()
        for image_id, file in enumerate((n for n in pictures if splits[n] == split), 1):
            picture = pictures[file]
            _place(picture.path, draft / split / file, link)
            images.append(
                {
                    'id': image_id,
                    'file_name': file,
                    'width': picture.width,
                    'height': picture.height,
                }
            )
            for box in picture.boxes:
                width, height = box.right - box.left, box.bottom - box.top
                sides = [round(v, 3) for v in (box.left, box.top, width, height)]
                annotations.append(
                    {
                        'id': len(annotations) + 1,
                        'image_id': image_id,
                        'category_id': ids[box.label],
                        'bbox': sides,
                        'area': round(width * height, 3),
                        'iscrowd': int(box.crowd),
                    }
                )
                counts[box.label] += 1
        categories = [{'id': number, 'name': label} for label, number in ids.items()]
        write_coco(draft / 'annotations' / f'{split}.json', images, annotations, categories)
        report.images[split], report.boxes[split] = len(images), dict(counts)
        report.negatives[split] = sum(
            not picture.boxes for file, picture in pictures.items() if splits[file] == split
        )
    content = asdict(report) | {'out': None, 'source': source.folder.root.name}
    (draft / RECORD).write_text(json.dumps(content, indent=1), encoding='utf-8')
    return report


def _place(path: Path, target: Path, link: bool) -> None:
    """Copy or link an image."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        try:
            os.link(path.resolve(), target)
            return
        except OSError:
            pass  # another file system, or one without links
    shutil.copyfile(path, target)
