"""The images that all systems of a benchmark work on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pycocotools.coco import COCO

from mmdet_cleargrasp.datasets.images import read_image
from mmdet_cleargrasp.utils.errors import DataError


@dataclass(frozen=True)
class Sample:
    """An image with its plates.

    Attributes:
        path: The image file.
        file_size: Width and height of the file in pixels.
        image: (H, W, 3), uint8, RGB, H and W being the benchmark's size.
        boxes: (K, 4), float32, x1, y1, x2, y2 in pixels of ``image``; K is not 0.
        labels: (K,), int64, from 0 on.
    """

    path: Path
    file_size: tuple[int, int]
    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def load_samples(data_root: str | Path, count: int, size: int) -> list[Sample]:
    """Read training images that have plates, made square.

    Args:
        data_root: A folder with ``annotations/train.json`` and ``train/``.
        count: Images, from the first on.
        size: Side in pixels; the aspect is not kept, so that no system has to pad.

    Raises:
        DataError: There are fewer.
    """
    root = Path(data_root)
    annotations = root / 'annotations' / 'train.json'
    if not annotations.is_file():
        raise DataError(f'{annotations} does not exist; give --data-root a folder that has it')
    coco = COCO(annotations)
    labels = {category: label for label, category in enumerate(sorted(coco.getCatIds()))}
    samples: list[Sample] = []
    for image_id, plates in coco.imgToAnns.items():
        if len(samples) == count:
            break
        path = root / 'train' / coco.imgs[image_id]['file_name']
        image = read_image(path)
        ratio = np.array([size / image.shape[1], size / image.shape[0]] * 2, dtype=np.float32)
        boxes = np.array([plate['bbox'] for plate in plates], dtype=np.float32)
        boxes[:, 2:] += boxes[:, :2]
        samples.append(
            Sample(
                path,
                (image.shape[1], image.shape[0]),
                cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA),
                boxes * ratio,
                np.array([labels[plate['category_id']] for plate in plates], dtype=np.int64),
            )
        )
    if len(samples) < count:
        raise DataError(f'{annotations} has {len(samples)} images with plates, {count} are needed')
    return samples
