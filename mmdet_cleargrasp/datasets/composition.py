"""New training images composed of several: plates pasted by their masks.

A pipeline step of MMDetection's ``MultiImageMixDataset``, whose inner data set has only
loaded image and boxes. It reads other images only where it uses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Patch:
    """A part of an image to paste.

    Attributes:
        image: float32 (H, W, 3).
        mask: Of the plate, or of what stands for it, float32 (H, W) in [0, 1].
        label: Class id; ``None`` for a decoy.
    """

    image: np.ndarray
    mask: np.ndarray
    label: int | None


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
                self._paste(results, _turn(patch))
        return results

    def _paste(self, results: dict[str, Any], patch: Patch) -> None:
        patch = self._resize(patch, results['img'].shape)
        height, width = patch.mask.shape
        room = np.subtract(results['img'].shape[:2], patch.mask.shape)
        own_box = _box(patch.mask)
        if min(room) < 0 or own_box is None:
            return
        boxes = results['gt_bboxes'].tensor.numpy()
        for _ in range(TRIES):
            top, left = (np.random.randint(0, space + 1) for space in room)
            box = own_box + np.array([left, top, left, top], np.float32)
            if (_covered(box, boxes) <= self.max_overlap).all():
                break
        else:
            return
        target = results['img'][top : top + height, left : left + width]
        alpha = _soft(patch.mask)[..., None] * np.random.uniform(*self.opacity)
        blended = target * (1 - alpha) + _toward_brightness(patch.image, target) * alpha
        target[:] = np.clip(blended, 0, 255)
        if patch.label is not None:
            _append(results, box, patch.label)

    def _resize(self, patch: Patch, shape: tuple[int, ...]) -> Patch:
        wanted = np.exp(np.random.uniform(*np.log(self.size))) * min(shape[:2])
        factor = min(1.5, wanted / max(patch.mask.shape))
        sides = [max(2, round(side * factor)) for side in patch.mask.shape[::-1]]
        return Patch(
            cv2.resize(patch.image, sides, interpolation=cv2.INTER_AREA),
            cv2.resize(patch.mask, sides, interpolation=cv2.INTER_AREA),
            patch.label,
        )


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
            mask = np.ones((h, w), np.uint8)
            if np.random.rand() < 0.5:
                mask[:] = 0
                cv2.ellipse(mask, (w // 2, h // 2), (w // 2, h // 2), 0, 0, 360, 1, -1)
            return _patch(source['img'][top : top + h, left : left + w], mask, None)
    return None


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

    return Patch(turned(patch.image), turned(patch.mask), patch.label)


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
