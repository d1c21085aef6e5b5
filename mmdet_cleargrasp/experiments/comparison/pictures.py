"""The images on which two arms differ most, with the boxes of both."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import supervision as sv
import torch
from PIL import Image

from ...datasets.annotations import CocoFile, read_coco
from ...datasets.images import read_image
from ...evaluation.coco_figures import read_predictions
from ...models.postprocessing import class_agnostic_nms
from ...utils.errors import DataError
from ...visualization.boxes import draw_boxes, label_text
from ...visualization.palette import TRUTH_COLOR
from .comparing import TestComparison
from .runs import TestReport

#: Pixels of a drawn picture's longer side.
PICTURE_SIZE = 480
JPEG_QUALITY = 82


@dataclass(frozen=True)
class Panel:
    """One picture of three.

    Attributes:
        title: Whose boxes are drawn.
        color: Of the boxes.
        uri: The picture, as a data URI.
        boxes: Drawn.
    """

    title: str
    color: str
    uri: str
    boxes: int


@dataclass(frozen=True)
class TellingImage:
    """An image that influences a difference.

    Attributes:
        file_name: Of the image.
        influence: The difference in AP on all images minus that without this one.
        panels: The truth and both arms.
    """

    file_name: str
    influence: float
    panels: list[Panel]


def telling_images(
    comparison: TestComparison,
    arm: str,
    reference: str,
    colors: dict[str, str],
    count: int = 3,
) -> list[TellingImage]:
    """Draw the images on which two arms differ most.

    Args:
        comparison: On one test set.
        arm: One of its arms.
        reference: The other.
        colors: By arm, as ``'#rrggbb'``.
        count: Maximum number of images.

    Returns:
        The most influential first; images whose file does not exist any more are skipped.
    """
    details = {name: comparison.details[name] for name in (arm, reference)}
    influence = details[arm].influence - details[reference].influence
    reports = {name: detail.shown.tests[comparison.name] for name, detail in details.items()}
    source = reports[arm].source
    coco = read_coco(source['annotations'])
    files = {image['id']: image['file_name'] for image in coco.images}
    found: list[TellingImage] = []
    for index in np.argsort(-np.abs(influence), kind='stable'):
        if len(found) == count or not influence[index]:
            break
        image_id = comparison.image_ids[index]
        try:
            picture = read_image(Path(source['images']) / files[image_id])
        except DataError:
            continue
        boxes = {'truth': _truth(coco, image_id, comparison.classes)}
        for name, report in reports.items():
            boxes[name] = _found(report, coco, image_id, comparison.classes)
        panels = [
            _draw(picture, detections, name, colors.get(name, TRUTH_COLOR), comparison.classes)
            for name, detections in boxes.items()
        ]
        found.append(TellingImage(files[image_id], float(influence[index]), panels))
    return found


def _draw(
    picture: np.ndarray, detections: sv.Detections, title: str, color: str, classes: Sequence[str]
) -> Panel:
    scale = min(1.0, PICTURE_SIZE / max(picture.shape[:2]))
    scene = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scores = [None] * len(detections) if detections.confidence is None else detections.confidence
    assert detections.class_id is not None
    pairs = zip(detections.class_id, scores, strict=True)
    texts = [label_text(classes[label], score) for label, score in pairs]
    drawn = draw_boxes(scene, detections.xyxy * scale, texts, [color] * len(detections))
    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, 'JPEG', quality=JPEG_QUALITY)
    uri = f'data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}'
    return Panel(title, color, uri, len(detections))


def _truth(coco: CocoFile, image_id: int | str, classes: Sequence[str]) -> sv.Detections:
    entries = [a for a in coco.annotations if a['image_id'] == image_id]
    return _detections(entries, coco, classes, with_score=False)


def _found(
    report: TestReport, coco: CocoFile, image_id: int | str, classes: Sequence[str]
) -> sv.Detections:
    entries = read_predictions(report.predictions)
    mine = [e for e in entries if e['image_id'] == image_id]
    found = _detections(mine, coco, classes, with_score=True)
    boxes, scores = torch.from_numpy(found.xyxy), torch.from_numpy(found.confidence)
    # supervision's annotation also has the columns that an index by name gives
    answers = cast(sv.Detections, found[class_agnostic_nms(boxes, scores).numpy()])
    assert answers.confidence is not None
    return cast(sv.Detections, answers[answers.confidence >= report.score_threshold])


def _detections(
    entries: list[dict], coco: CocoFile, classes: Sequence[str], with_score: bool
) -> sv.Detections:
    names = {category['id']: category['name'] for category in coco.categories}
    entries = [entry for entry in entries if names.get(entry['category_id']) in classes]
    boxes = np.array([entry['bbox'] for entry in entries], dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    labels = [list(classes).index(names[entry['category_id']]) for entry in entries]
    scores = [entry.get('score') for entry in entries]
    return sv.Detections(
        xyxy=boxes,
        class_id=np.array(labels, dtype=int),
        confidence=np.array(scores, dtype=np.float32) if with_score else None,
    )
