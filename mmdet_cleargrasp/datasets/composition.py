"""New training images composed of several: pasted plates, and pasted pictures of other things.

Pipeline steps of MMDetection's ``MultiImageMixDataset``, whose inner data set has only
loaded image and boxes. Other images are read only where they are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from pycocotools import mask as coco_mask

#: Positions that are tried for a patch before it is dropped.
TRIES = 10
#: A plate whose mask fills less of its box is mostly hidden and is not pasted; a square dish turned
#: by 45 degrees fills half.
LEAST_FILL = 0.45
#: Smallest and largest opacity of pasted pictures.
PICTURE_OPACITY = (0.85, 1.0)


@dataclass(frozen=True)
class Patch:
    """A part of an image to paste.

    Attributes:
        image: float32 (H, W, 3).
        mask: Of the plate, or of what stands for it, float32 (H, W) in [0, 1].
        label: Class id; ``None`` for what is not a plate.
        rim: Whether to paste a soft rim of what surrounds the mask as well.
    """

    image: np.ndarray
    mask: np.ndarray
    label: int | None
    rim: bool = True


@TRANSFORMS.register_module()
class PastePlates(BaseTransform):
    """Paste plates of other images, cut out by their segmentation masks.

    A plate comes with a rim of what surrounds it, such as its shadow and caustics, under a soft
    edge; it is turned, mirrored, resized, brought closer to the brightness around it and laid on
    a little transparently. So that soft edges don't give plates away, some patches are *decoys*:
    pieces of other images without a plate. Annotations without a ``segmentation`` are not pasted.

    Args:
        prob: Of pasting anything into an image, in [0, 1].
        max_plates: Pasted into one image, from 1 on.
        decoys: Share of patches that are decoys, in [0, 1].
        size: Least and greatest longer side of a patch's plate, as a share of the image's shorter
            side.
        opacity: Least and greatest, in (0, 1].
        max_overlap: Greatest share of a box that may be covered by another one.
    """

    def __init__(
        self,
        prob: float = 0.5,
        max_plates: int = 2,
        decoys: float = 0.4,
        size: tuple[float, float] = (0.12, 0.7),
        opacity: tuple[float, float] = (0.75, 1.0),
        max_overlap: float = 0.25,
    ) -> None:
        self.prob, self.max_plates, self.decoys = prob, max_plates, decoys
        self.size, self.opacity, self.max_overlap = size, opacity, max_overlap

    def get_indexes(self, dataset: Sequence) -> list[int]:
        """Draw the images to take patches from; none where nothing is pasted."""
        count = np.random.randint(1, self.max_plates + 1) if np.random.rand() < self.prob else 0
        return list(np.random.randint(0, len(dataset), count))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Paste a patch of each of ``mix_results``."""
        for source in results.get('mix_results', ()):
            is_decoy = np.random.rand() < self.decoys
            patch = _cut_decoy(source) if is_decoy else _cut_plate(source)
            if patch is not None:
                patch = _resized(_turn(patch), results, self.size)
                _paste(results, patch, self.opacity, self.max_overlap)
        return results


@TRANSFORMS.register_module()
class PastePictures(BaseTransform):
    """Paste pictures of things that are not plates, so that fewer of them are taken for plates.

    Pictures with an alpha channel (cut-outs) are pasted as they are; of others (photographs without
    plates) a random rectangle or ellipse is. They lie beside the plates, never on them.

    Args:
        folders: Each is searched with its subfolders for JPEG, PNG and WebP files, and drawn from
            equally often. Without any, nothing is pasted.
        prob: Of pasting anything into an image, in [0, 1].
        max_pictures: Pasted into one image, from 1 on.
        size: Smallest and largest longer side, as a share of the image's shorter side.

    Raises:
        FileNotFoundError: If a folder has no pictures.

    Example:
        >>> image = dict(img=np.zeros((9, 12, 3), np.uint8))
        >>> PastePictures()(image)['img'].shape
        (9, 12, 3)
    """

    def __init__(
        self,
        folders: Sequence[str] = (),
        prob: float = 0.6,
        max_pictures: int = 3,
        size: tuple[float, float] = (0.1, 1.2),
    ) -> None:
        self.prob, self.max_pictures, self.size = prob, max_pictures, size
        self.pictures = [_pictures(folder) for folder in folders]

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img``."""
        if self.pictures and np.random.rand() < self.prob:
            for _ in range(np.random.randint(1, self.max_pictures + 1)):
                files = self.pictures[np.random.randint(len(self.pictures))]
                patch = _cut_picture(files[np.random.randint(len(files))])
                if patch is not None:
                    patch = _resized(_turn(patch), results, self.size)
                    _paste(results, patch, PICTURE_OPACITY, max_overlap=0.0)
        return results


def _pictures(folder: str) -> list[str]:
    suffixes = ('.jpg', '.jpeg', '.png', '.webp')
    files = sorted(str(p) for p in Path(folder).rglob('*') if p.suffix.lower() in suffixes)
    if not files:
        raise FileNotFoundError(
            f'{folder} has no JPEG, PNG or WebP files, expected pictures of things that are not '
            'plates. Without any, leave out the folders of PastePictures.'
        )
    return files


@lru_cache(maxsize=1024)
def _read_picture(file: str) -> np.ndarray | None:
    """A picture of at most 512 pixels, uint8 (H, W, 3 or 4); ``None`` where it can't be read."""
    content = np.fromfile(file, np.uint8)
    # OpenCV raises for an empty file.
    image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if image is None or image.dtype != np.uint8:
        return None
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    factor = min(1.0, 512 / max(image.shape[:2]))
    sides = [max(2, round(side * factor)) for side in image.shape[1::-1]]
    return cv2.resize(image, sides, interpolation=cv2.INTER_AREA)


def _cut_picture(file: str) -> Patch | None:
    """A cut-out, or a part of a photograph."""
    image = _read_picture(file)
    if image is None:
        return None
    if image.shape[2] == 4:
        mask = image[..., 3].astype(np.float32) / 255
        return Patch(image[..., :3].astype(np.float32), mask, None, rim=False)
    height, width = image.shape[:2]
    h, w = (max(2, int(side * np.random.uniform(0.3, 1.0))) for side in (height, width))
    top, left = np.random.randint(0, height - h + 1), np.random.randint(0, width - w + 1)
    return Patch(image[top : top + h, left : left + w].astype(np.float32), _shape(h, w), None)


def _resized(patch: Patch, results: dict[str, Any], size: tuple[float, float]) -> Patch:
    """Resize to a random share of the image's shorter side."""
    wanted = np.exp(np.random.uniform(*np.log(size))) * min(results['img'].shape[:2])
    factor = min(1.5, wanted / max(patch.mask.shape))
    sides = [max(2, round(side * factor)) for side in patch.mask.shape[::-1]]
    return replace(
        patch,
        image=cv2.resize(patch.image, sides, interpolation=cv2.INTER_AREA),
        mask=cv2.resize(patch.mask, sides, interpolation=cv2.INTER_AREA),
    )


def _paste(
    results: dict[str, Any], patch: Patch, opacity: tuple[float, float], max_overlap: float
) -> None:
    """Paste where there is room: no box covers another by more than a share."""
    height, width = patch.mask.shape
    room = np.subtract(results['img'].shape[:2], patch.mask.shape)
    own_box = _box(patch.mask)
    if min(room) < 0 or own_box is None:
        return
    boxes = results['gt_bboxes'].tensor.numpy()
    for _ in range(TRIES):
        top, left = (np.random.randint(0, space + 1) for space in room)
        box = own_box + np.array([left, top, left, top], np.float32)
        if (_covered(box, boxes) <= max_overlap).all():
            break
    else:
        return
    target = results['img'][top : top + height, left : left + width]
    mask = _soft(patch.mask) if patch.rim else patch.mask
    alpha = mask[..., None] * np.random.uniform(*opacity)
    blended = target * (1 - alpha) + _toward_brightness(patch.image, target) * alpha
    target[:] = np.clip(blended, 0, 255)
    if patch.label is not None:
        _append(results, box, patch.label)


def _cut_plate(source: dict[str, Any]) -> Patch | None:
    """A random plate with a rim around it."""
    plates = [
        instance
        for instance in source.get('instances', ())
        if instance.get('mask') and not instance['ignore_flag']
    ]
    if not plates:
        return None
    plate = plates[np.random.randint(len(plates))]
    height, width = source['img'].shape[:2]
    mask = _decode(plate['mask'], height, width)
    x1, y1, x2, y2 = plate['bbox']
    rim = 0.12 * max(x2 - x1, y2 - y1)
    rows = slice(max(0, int(y1 - rim)), min(height, int(y2 + rim)))
    columns = slice(max(0, int(x1 - rim)), min(width, int(x2 + rim)))
    if mask.sum() < LEAST_FILL * (x2 - x1) * (y2 - y1):
        return None
    return _patch(source['img'][rows, columns], mask[rows, columns], plate['bbox_label'])


def _cut_decoy(source: dict[str, Any]) -> Patch | None:
    """A random rectangle or ellipse that touches no plate."""
    height, width = source['img'].shape[:2]
    boxes = source['gt_bboxes'].tensor.numpy()
    for _ in range(TRIES):
        h, w = (max(8, int(side * np.random.uniform(0.15, 0.5))) for side in (height, width))
        if h > height or w > width:
            return None
        top, left = np.random.randint(0, height - h + 1), np.random.randint(0, width - w + 1)
        if not _covered(np.array([left, top, left + w, top + h], np.float32), boxes).any():
            return _patch(source['img'][top : top + h, left : left + w], _shape(h, w), None)
    return None


def _shape(height: int, width: int) -> np.ndarray:
    """The mask of a rectangle or an ellipse, float32 (height, width)."""
    if np.random.rand() < 0.5:
        return np.ones((height, width), np.float32)
    mask = np.zeros((height, width), np.float32)
    middle = (width // 2, height // 2)
    return cv2.ellipse(mask, middle, middle, 0, 0, 360, 1, -1)


def _patch(image: np.ndarray, mask: np.ndarray, label: int | None) -> Patch | None:
    if not mask.any():
        return None
    return Patch(image.astype(np.float32), mask.astype(np.float32), label)


def _decode(segmentation: dict | list, height: int, width: int) -> np.ndarray:
    """The bitmap of a COCO segmentation: polygons or run lengths, compressed or not."""
    rle: Any = segmentation  # pycocotools' stubs lack uncompressed run lengths
    if isinstance(segmentation, list):
        rle = coco_mask.merge(coco_mask.frPyObjects(rle, height, width))
    elif isinstance(segmentation['counts'], list):
        rle = coco_mask.frPyObjects(rle, height, width)
    return coco_mask.decode(rle)


def _turn(patch: Patch) -> Patch:
    """Turn by right angles and mirror."""
    quarters, mirrored = np.random.randint(4), np.random.rand() < 0.5

    def turned(array: np.ndarray) -> np.ndarray:
        array = np.rot90(array, quarters)
        return np.ascontiguousarray(array[:, ::-1] if mirrored else array)

    return replace(patch, image=turned(patch.image), mask=turned(patch.mask))


def _soft(mask: np.ndarray) -> np.ndarray:
    """The mask grown by a few percent of its size, with a soft edge that ends within the patch."""
    radius = max(1, round(0.04 * max(mask.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grown = cv2.GaussianBlur(cv2.dilate(mask, kernel), (0, 0), radius / 2)
    return grown.clip(0, 1)


def _toward_brightness(image: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Scale the channels part of the way to those of the place where the patch goes."""
    ratio = (target.mean((0, 1)) + 1) / (image.mean((0, 1)) + 1)
    return image * ratio.clip(0.4, 2.5) ** np.random.uniform(0, 0.8)


def _box(mask: np.ndarray) -> np.ndarray | None:
    """The box x1, y1, x2, y2 around what the mask has."""
    rows, columns = np.flatnonzero((mask > 0.5).any(1)), np.flatnonzero((mask > 0.5).any(0))
    if not len(rows):
        return None
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def _covered(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """For each of the boxes the greater share, of it or of the box, that lies in the other."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    overlap = sides.clip(0).prod(1)
    smaller = np.minimum((box[2:] - box[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(1))
    return overlap / np.maximum(smaller, 1)


def _append(results: dict[str, Any], box: np.ndarray, label: int) -> None:
    boxes = results['gt_bboxes']
    tensor = torch.cat([boxes.tensor, torch.from_numpy(box)[None]])
    results['gt_bboxes'] = type(boxes)(tensor)
    results['gt_bboxes_labels'] = np.append(results['gt_bboxes_labels'], label)
    results['gt_ignore_flags'] = np.append(results['gt_ignore_flags'], False)
