"""Export of detections to labeling and microscopy tools.

LabelMe, YOLO, Pascal VOC, CVAT and Label Studio are written as data sets with their images, which
``to_coco`` reads; Fiji's ROI sets and QuPath's GeoJSON as one file per image.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import unicodedata
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from ..datasets.images import IMAGE_SUFFIXES, image_format
from ..utils.atomic_files import write_atomically, write_json
from ..utils.draft_folders import draft_folder
from ..utils.errors import ConfigError
from ..utils.locks import FolderInUseError
from .batch import BatchResult, UniqueNames

if TYPE_CHECKING:
    from labelformat.model.object_detection import ObjectDetectionInput


@dataclass(frozen=True)
class Box:
    """One detection; sides in pixels of the upright image."""

    label: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Labeled:
    """One image with its detections.

    Attributes:
        source: The image's file.
        name: Its name in an export, relative; unique without its suffix.
        width: In pixels, as is ``height``.
        boxes: By descending score.
    """

    source: Path
    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]


def export(result: BatchResult, root: str | Path, formats: Sequence[str]) -> dict[str, Path]:
    """Write the detections of a batch in other formats, below its folder.

    A format's folder is written atomically. An existing one is kept, since it may have been
    corrected.

    Args:
        result: Of :func:`.run_batch`.
        root: The folder that image names are relative to. Video frames are not exported.
        formats: In :data:`FORMATS`.

    Returns:
        The folder of each format that was written.

    Raises:
        ConfigError: A format is unknown, or needs a package that is not installed.
    """
    if not formats:
        return {}
    check_formats(formats)
    images = _labeled(result, Path(root))
    written = {}
    for name in formats:
        folder = result.out_dir / name
        # If two shards end at the same time, one of them writes.
        with contextlib.suppress(FolderInUseError), draft_folder(folder) as draft:
            if not folder.exists():
                draft.mkdir()
                FORMATS[name](draft, images, result.classes)
                draft.replace(folder)
                written[name] = folder
    return written


def check_formats(formats: Iterable[str]) -> None:
    """Refuse formats that cannot be written, before any image is read.

    Raises:
        ConfigError: A format is unknown, or needs a package that is not installed.
    """
    for name in formats:
        if name not in FORMATS:
            raise ConfigError(f'--export {name}: expected some of {", ".join(FORMATS)}')
        try:
            if name in ('yolo', 'voc', 'cvat'):
                import labelformat  # noqa: F401
            if name == 'fiji':
                import roifile  # noqa: F401
        except ImportError as error:
            raise ConfigError(
                f"--export {name} needs the package {error.name}: pip install 'mmdet_cleargrasp"
                "[labels]'"
            ) from error


def _labeled(result: BatchResult, root: Path) -> list[Labeled]:
    names = UniqueNames()
    images = []
    for entry, rows in result.results():
        source = root / entry['image']
        if not entry['problem'] and source.is_file():
            stem = names.stem(_plain_name(entry['image']))
            size = (entry['width'], entry['height'])
            found = tuple(map(_box, rows))
            images.append(
                Labeled(source, f'{stem}{export_suffix(source.name, source)}', *size, found)
            )
    return images


def _box(row: dict[str, Any]) -> Box:
    left, top = row['x'], row['y']
    right, bottom = left + row['box_width'], top + row['box_height']
    return Box(row['class'], row['score'], left, top, right, bottom)


def _plain_name(name: str) -> str:
    """A name that all formats can hold: without backslashes and control characters.

    Bytes that are not UTF-8 are decoded as Latin-1.
    """
    name = re.sub('[\udc80-\udcff]', lambda byte: chr(ord(byte[0]) - 0xDC00), name)
    return ''.join('_' if c == '\\' or unicodedata.category(c) == 'Cc' else c for c in name)


def export_suffix(name: str, file: Path) -> str:
    """The suffix of an image in an export, which must not be that of a file of labels.

    Args:
        name: The image's, as the user knows it.
        file: The image.
    """
    suffix = Path(name).suffix
    return (
        suffix if suffix.lower() in IMAGE_SUFFIXES else f'.{image_format(file) or "image"}'.lower()
    )


def _write_labelme(folder: Path, images: Sequence[Labeled], classes: Sequence[str]) -> None:
    for image in images:
        _place(image, folder)
        shapes: list[dict[str, Any]] = [
            {
                'label': box.label,
                'shape_type': 'rectangle',
                'points': [[box.left, box.top], [box.right, box.bottom]],
                'group_id': None,
                'description': f'score {box.score}',
                'flags': {},
            }
            for box in image.boxes
        ]
        content: dict[str, Any] = {
            'version': '5.5.0',
            'flags': {},
            'shapes': shapes,
            'imagePath': Path(image.name).name,
            'imageData': None,
            'imageWidth': image.width,
            'imageHeight': image.height,
        }
        write_json((folder / image.name).with_suffix('.json'), content)


def _write_yolo(folder: Path, images: Sequence[Labeled], classes: Sequence[str]) -> None:
    from labelformat.formats.yolov8 import YOLOv8ObjectDetectionOutput

    for image in images:
        _place(image, folder / 'images')
    YOLOv8ObjectDetectionOutput(folder / 'data.yaml', 'train').save(_as_input(images, classes))


def _write_voc(folder: Path, images: Sequence[Labeled], classes: Sequence[str]) -> None:
    from labelformat.formats.pascalvoc import PascalVOCObjectDetectionOutput

    for image in images:
        _place(image, folder / 'JPEGImages')
        (folder / 'Annotations' / image.name).parent.mkdir(parents=True, exist_ok=True)
    PascalVOCObjectDetectionOutput(folder / 'Annotations').save(_as_input(images, classes))


def _write_cvat(folder: Path, images: Sequence[Labeled], classes: Sequence[str]) -> None:
    from labelformat.formats.cvat import CVATObjectDetectionOutput

    for image in images:
        _place(image, folder / 'images')
    CVATObjectDetectionOutput(folder).save(_as_input(images, classes))


def _write_fiji(folder: Path, images: Sequence[Labeled], classes: Sequence[str]) -> None:
    """One ROI set (.zip) per image, which Fiji's ROI Manager opens."""
    from roifile import ROI_TYPE, ImagejRoi, roiwrite

    for image in images:
        rois = []
        for number, box in enumerate(image.boxes, 1):
            roi = ImagejRoi()
            roi.roitype = ROI_TYPE.RECT
            roi.left, roi.top = round(box.left), round(box.top)  # whole pixels
            roi.right, roi.bottom = round(box.right), round(box.bottom)
            roi.name = f'{number} {box.label} {box.score:.2f}'
            rois.append(roi)
        target = folder / f'{image.name}.zip'
        target.parent.mkdir(parents=True, exist_ok=True)
        if rois:
            roiwrite(target, rois, mode='w')


def _write_qupath(folder: Path, images: Sequence[Labeled], classes: Sequence[str]) -> None:
    """One GeoJSON file per image, as QuPath imports annotations."""
    for image in images:
        features = []
        for box in image.boxes:
            corners = [
                [box.left, box.top],
                [box.right, box.top],
                [box.right, box.bottom],
                [box.left, box.bottom],
                [box.left, box.top],
            ]
            features.append(
                {
                    'type': 'Feature',
                    'geometry': {'type': 'Polygon', 'coordinates': [corners]},
                    'properties': {
                        'objectType': 'annotation',
                        'classification': {'name': box.label},
                        'measurements': {'score': box.score},
                    },
                }
            )
        content = {'type': 'FeatureCollection', 'features': features}
        write_json(folder / f'{image.name}.geojson', content)


def _write_labelstudio(folder: Path, images: Sequence[Labeled], classes: Sequence[str]) -> None:
    """Tasks with predictions for people to correct, and the labeling interface of a project."""
    tasks = []
    for image in images:
        _place(image, folder / 'images')
        results = [
            {
                'id': f'box{number}',
                'type': 'rectanglelabels',
                'from_name': 'label',
                'to_name': 'image',
                'original_width': image.width,
                'original_height': image.height,
                'image_rotation': 0,
                'score': box.score,
                'value': {
                    'x': 100 * box.left / image.width,
                    'y': 100 * box.top / image.height,
                    'width': 100 * (box.right - box.left) / image.width,
                    'height': 100 * (box.bottom - box.top) / image.height,
                    'rotation': 0,
                    'rectanglelabels': [box.label],
                },
            }
            for number, box in enumerate(image.boxes, 1)
        ]
        score = min((box.score for box in image.boxes), default=0.0)
        prediction = {'model_version': 'mmdet_cleargrasp', 'score': score, 'result': results}
        url = f'/data/local-files/?d=images/{quote(image.name)}'
        tasks.append({'data': {'image': url}, 'predictions': [prediction]})
    write_json(folder / 'tasks.json', tasks)
    labels = '\n'.join(f'    <Label value={quoteattr(name)}/>' for name in classes)
    interface = f"""<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image">
{labels}
  </RectangleLabels>
</View>
"""
    write_atomically(folder / 'labeling_interface.xml', interface.encode())


def _place(image: Labeled, folder: Path) -> None:
    """Copy an image into an export; not a link, since some tools rotate images in place."""
    target = folder / image.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(image.source, target)


def _as_input(images: Sequence[Labeled], classes: Sequence[str]) -> ObjectDetectionInput:
    """The images in the form that labelformat's writers expect."""
    from labelformat.model.bounding_box import BoundingBox
    from labelformat.model.category import Category
    from labelformat.model.image import Image
    from labelformat.model.object_detection import (
        ImageObjectDetection,
        ObjectDetectionInput,
        SingleObjectDetection,
    )

    categories = {name: Category(number, name) for number, name in enumerate(classes)}
    labels = [
        ImageObjectDetection(
            Image(number, image.name, image.width, image.height),
            [
                SingleObjectDetection(
                    categories[box.label], BoundingBox(box.left, box.top, box.right, box.bottom)
                )
                for box in image.boxes
            ],
        )
        for number, image in enumerate(images)
    ]

    class Detections(ObjectDetectionInput):
        @staticmethod
        def add_cli_arguments(parser: ArgumentParser) -> None:
            """Nothing: it is not used on a command line."""

        def get_categories(self) -> list[Category]:
            return list(categories.values())

        def get_images(self) -> list[Image]:
            return [label.image for label in labels]

        def get_labels(self) -> list[ImageObjectDetection]:
            return labels

    return Detections()


#: Writers by the names that ``--export`` takes.
FORMATS: dict[str, Callable[[Path, Sequence[Labeled], Sequence[str]], None]] = {
    'labelme': _write_labelme,
    'yolo': _write_yolo,
    'voc': _write_voc,
    'cvat': _write_cvat,
    'labelstudio': _write_labelstudio,
    'fiji': _write_fiji,
    'qupath': _write_qupath,
}
