"""Images of the benchmark, the same for all systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pycocotools.coco import COCO

from mmdet_cleargrasp.datasets.images import read_image
from mmdet_cleargrasp.utils.atomic_files import write_atomically
from mmdet_cleargrasp.utils.errors import DataError

#: Width and height of a photograph of 12 megapixels.
PHOTOGRAPH_SIZE = (4000, 3000)
PHOTOGRAPH_QUALITY = 90
#: Standard deviation of its noise, without which an enlarged image is a smaller file than a
#: camera's and decoded faster.
PHOTOGRAPH_NOISE = 4.0


@dataclass(frozen=True)
class Sample:
    """An image with its plates.

    Attributes:
        path: Image file.
        file_size: Width and height of the file's image in pixels.
        image: Resized image, RGB, uint8 (H, W, 3), of the benchmark's size.
        boxes: Left, top, right and bottom in pixels of ``image``, float32 (K, 4), with K > 0.
        labels: Class indices from 0, int64 (K,).
    """

    path: Path
    file_size: tuple[int, int]
    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def load_samples(data_root: str | Path, count: int, size: int) -> list[Sample]:
    """Read the first training images with plates, and resize them to squares.

    Args:
        data_root: Folder with ``annotations/train.json`` and ``train/``.
        count: Number of images.
        size: Side in pixels; the aspect ratio is not kept, so that no system needs padding.

    Raises:
        DataError: The annotation file is missing or has too few images with plates.
    """
    root = Path(data_root)
    annotations = root / 'annotations' / 'train.json'
    if not annotations.is_file():
        raise DataError(f'{annotations} does not exist: pass its dataset as --data-root')
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
        raise DataError(
            f'{annotations} has {len(samples)} images with plates, expected {count} or more'
        )
    return samples


def write_photographs(
    paths: Iterable[Path], folder: Path, size: tuple[int, int] = PHOTOGRAPH_SIZE
) -> list[Path]:
    """Write JPEG files as large as a camera's: enlarged images with noise.

    Args:
        paths: Images.
        folder: Existing folder for the files.
        size: Width and height in pixels; the aspect ratio is not kept.

    Returns:
        Paths of the files.
    """
    random, written = np.random.default_rng(0), []
    for number, path in enumerate(paths):
        image = read_image(path, channel_order='bgr')
        large = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        noise = random.standard_normal(large.shape, dtype=np.float32) * PHOTOGRAPH_NOISE
        photograph = np.clip(large + noise, 0, 255).astype(np.uint8)
        written.append(folder / f'{number:04d}.jpg')
        quality = [cv2.IMWRITE_JPEG_QUALITY, PHOTOGRAPH_QUALITY]
        write_atomically(written[-1], cv2.imencode('.jpg', photograph, quality)[1].tobytes())
    return written
