"""Writing a converted data set in the layout that training reads."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..datasets.annotations import write_coco
from ..datasets.split_names import SPLITS
from .labels import Picture
from .source import Skipped, Source

#: Marks a folder written by a conversion; lists the source and everything that was skipped.
RECORD = 'conversion.json'
SHEET = 'contact_sheet.jpg'
#: Boxes of images with EXIF rotation, with and without it.
ORIENTATION_SHEET = 'orientation.jpg'


@dataclass(frozen=True)
class Report:
    """Result of a conversion.

    Attributes:
        out: The folder that was written.
        format: Key of :data:`.FORMATS`.
        images: Number of images by split.
        negatives: Number of images without a box by split.
        boxes: Number of boxes by class, by split.
        classes: In the order of the categories.
        skipped: Everything that was skipped.
        notes: Assumptions that were made about the source.
        doubtful: Images whose boxes may have been drawn without EXIF rotation.
    """

    out: Path
    format: str
    images: dict[str, int]
    negatives: dict[str, int]
    boxes: dict[str, dict[str, int]]
    classes: list[str]
    skipped: list[Skipped]
    notes: list[str]
    doubtful: list[str]

    @property
    def complete(self) -> bool:
        """Whether all annotated images were converted."""
        return not any(skipped.kind in ('image', 'labels') for skipped in self.skipped)


def write_data_set(
    out: Path,
    source: Source,
    format_name: str,
    pictures: Mapping[str, Picture],
    splits: Mapping[str, str],
    classes: Sequence[str],
    link: bool,
) -> Report:
    """Write annotations, images and the record.

    Args:
        out: Folder to write.
        source: Where the pictures are from.
        format_name: Key of :data:`.FORMATS`.
        pictures: By the file names to write.
        splits: Split of each file name.
        classes: Names in the order of the categories.
        link: Create hard links instead of copies, if the file system supports it.
    """
    categories = [{'id': number, 'name': name} for number, name in enumerate(classes, 1)]
    images, negatives, boxes = {}, {}, {}
    for split in (split for split in SPLITS if split in splits.values()):
        mine = {file: picture for file, picture in pictures.items() if splits[file] == split}
        for file, picture in mine.items():
            _place(picture.path, out / split / file, link)
        entries = [_image(k, *item) for k, item in enumerate(mine.items(), 1)]
        annotations = [
            annotation
            for k, picture in enumerate(mine.values(), 1)
            for annotation in _annotations(k, picture, classes)
        ]
        write_coco(out / 'annotations' / f'{split}.json', entries, annotations, categories)
        images[split] = len(mine)
        negatives[split] = sum(not picture.boxes for picture in mine.values())
        boxes[split] = dict(Counter(b.label for picture in mine.values() for b in picture.boxes))
    doubtful = [file for file, picture in pictures.items() if picture.if_stored]
    report = Report(
        out, format_name, images, negatives, boxes, list(classes),
        source.skipped, source.notes, doubtful,
    )  # fmt: skip
    content = asdict(report) | {'out': None, 'source': source.folder.root.name}
    (out / RECORD).write_text(json.dumps(content, indent=1), encoding='utf-8')
    return report


def _image(image_id: int, file: str, picture: Picture) -> dict[str, Any]:
    return {'id': image_id, 'file_name': file, 'width': picture.width, 'height': picture.height}


def _annotations(image_id: int, picture: Picture, classes: Sequence[str]) -> list[dict[str, Any]]:
    entries = []
    for box in picture.boxes:
        width, height = box.right - box.left, box.bottom - box.top
        entries.append(
            {
                'image_id': image_id,
                'category_id': 1 + classes.index(box.label),
                'bbox': [round(side, 3) for side in (box.left, box.top, width, height)],
                'area': round(width * height, 3),
                'iscrowd': int(box.crowd),
            }
        )
    return entries


def _place(path: Path, target: Path, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        try:
            os.link(path.resolve(), target)
            return
        except OSError:
            pass  # another file system, or one without links
    shutil.copyfile(path, target)
