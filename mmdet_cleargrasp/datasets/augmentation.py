"""Augmentations: random views of an image, and the appearance of other cameras and lamps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes

Image = np.ndarray


@TRANSFORMS.register_module()
class RandomView(BaseTransform):
    """Place the image at a random scale and position on a canvas of fixed size.

    An image smaller than the canvas is surrounded by a random background; a larger one is cropped.
    Half of the views are centered on a plate, so that plates of every size are seen, up to those
    that fill the image. Plates that are mostly cut off are ignored in training (``ignore_iof_thr``
    of the assigners).

    Every view has the same shape, so that no pixel of a batch is padding.

    Args:
        size: Width and height of the canvas in pixels.
        zoom: Smallest and largest scale of views that are not centered on a plate; at 1 the whole
            image just fits into the canvas.
        centered: Probability that a view is centered on a plate, in [0, 1].
        fill: Smallest and largest length of that plate's longer side, as a share of the canvas's
            shorter side.
        max_upscale: Largest factor by which pixels are enlarged to center on a plate, relative to
            the scale at which the image fits.
        visible: Share of a box that has to be visible for it to be learned, in (0, 1].
        gone: Share of a box below which it is dropped instead of ignored, in [0, 1].

    Example:
        >>> RandomView((32, 32))(dict(img=np.zeros((9, 12, 3), np.uint8)))['img'].shape
        (32, 32, 3)
    """

    def __init__(
        self,
        size: tuple[int, int],
        zoom: tuple[float, float] = (0.5, 2.5),
        centered: float = 0.5,
        fill: tuple[float, float] = (0.1, 1.1),
        max_upscale: float = 2.5,
        visible: float = 0.6,
        gone: float = 0.1,
    ) -> None:
        self.size, self.zoom, self.centered = (int(size[0]), int(size[1])), zoom, centered
        self.fill, self.max_upscale = fill, max_upscale
        self.visible, self.gone = visible, gone

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img``, and the boxes where there are any."""
        height, width = results['img'].shape[:2]
        scale, offset = self._draw(np.array([width, height]), _learned_boxes(results))
        results['img'] = self._place(results['img'], scale, offset)
        results['img_shape'] = results['img'].shape[:2]
        results['scale_factor'] = (scale, scale)
        if 'gt_bboxes' in results:
            self._move_boxes(results, scale, offset)
        return results

    def _draw(self, image_size: np.ndarray, boxes: np.ndarray) -> tuple[float, np.ndarray]:
        """Scale, and position of the image's upper left corner."""
        fitting = float((np.array(self.size) / image_size).min())
        if not len(boxes) or np.random.rand() >= self.centered:
            scale = fitting * _log_uniform(*self.zoom)
            return scale, _anywhere(np.array(self.size) - scale * image_size)
        box = boxes[np.random.randint(len(boxes))]
        sides = box[2:] - box[:2]
        scale = _log_uniform(*self.fill) * min(self.size) / sides.max()
        scale = float(min(scale, fitting * self.max_upscale))
        return scale, _anywhere(np.array(self.size) - scale * sides) - scale * box[:2]

    def _place(self, image: Image, scale: float, offset: np.ndarray) -> Image:
        if scale < 1:  # averages the pixels that are merged
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            scale = 1.0
        matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]], np.float32)
        canvas = _background(*self.size)
        cv2.warpAffine(image, matrix, self.size, dst=canvas, borderMode=cv2.BORDER_TRANSPARENT)
        return canvas

    def _move_boxes(self, results: dict[str, Any], scale: float, offset: np.ndarray) -> None:
        whole = results['gt_bboxes'].tensor.numpy() * scale + np.tile(offset, 2)
        corners = np.tile(self.size, 2)
        boxes = whole.clip(0, corners)
        shares = _areas(boxes) / np.maximum(_areas(whole), 1e-6)
        kept = shares > self.gone
        results['gt_bboxes'] = HorizontalBoxes(boxes[kept].astype(np.float32))
        results['gt_bboxes_labels'] = results['gt_bboxes_labels'][kept]
        ignored = results['gt_ignore_flags'] | (shares < self.visible)
        results['gt_ignore_flags'] = ignored[kept]


class RandomChange(BaseTransform):
    """A change of an image's pixels, applied with a probability.

    Args:
        prob: In [0, 1].
    """

    def __init__(self, prob: float = 0.3) -> None:
        self.prob = prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img``, (H, W, 3) in BGR between 0 and 255, or leave it."""
        if np.random.rand() < self.prob:
            changed = self.change(results['img'].astype(np.float32))
            results['img'] = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
        return results

    def change(self, image: Image) -> Image:
        """Change an image, float32 between 0 and 255; subclasses implement it."""
        raise NotImplementedError


@TRANSFORMS.register_module()
class ColorCast(RandomChange):
    """Another white balance, exposure and gamma, as from a phone, a UV table or a light box.

    Args:
        prob: In [0, 1].
        cast: Greatest change of a channel, as a factor from 1 on.
        exposure: Greatest change of all channels, as a factor from 1 on.
        gamma: Greatest exponent, from 1 on; the least is its inverse.
    """

    def __init__(
        self, prob: float = 0.5, cast: float = 1.4, exposure: float = 1.5, gamma: float = 1.6
    ) -> None:
        super().__init__(prob)
        self.cast, self.exposure, self.gamma = cast, exposure, gamma

    def change(self, image: Image) -> Image:
        """Apply gamma, then the factors."""
        factors = _factor(self.exposure) * np.array([_factor(self.cast) for _ in range(3)])
        return (
            255
            * (image.clip(0, 255) / 255) ** np.float32(_factor(self.gamma))
            * factors.astype(np.float32)
        )


@TRANSFORMS.register_module()
class UnevenLight(RandomChange):
    """Darker and brighter regions with soft borders, as from a lamp or a window.

    Args:
        prob: In [0, 1].
        strength: Greatest factor by which light differs, from 1 on.
    """

    def __init__(self, prob: float = 0.3, strength: float = 2.0) -> None:
        super().__init__(prob)
        self.strength = strength

    def change(self, image: Image) -> Image:
        """Multiply by a smooth field."""
        coarse = np.random.uniform(-1, 1, np.random.randint(2, 5, 2)).astype(np.float32)
        field = cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        return image * np.float32(self.strength) ** field.clip(-1, 1)[..., None]


@TRANSFORMS.register_module()
class CameraBlur(RandomChange):
    """Out of focus, moved, or read at a lower resolution.

    Args:
        prob: In [0, 1].
        strength: Greatest blur, as a share of the image's longer side.
    """

    def __init__(self, prob: float = 0.3, strength: float = 0.006) -> None:
        super().__init__(prob)
        self.strength = strength

    def change(self, image: Image) -> Image:
        """Blur in one of three ways, drawn evenly."""
        size = np.random.uniform(0.15, 1) * self.strength * max(image.shape[:2])
        kind = np.random.randint(3)
        if kind == 0:
            return cv2.GaussianBlur(image, (0, 0), max(0.3, size))
        return _move(image, 3 * size) if kind == 1 else _coarsen(image, 1 + 1.5 * size)


@TRANSFORMS.register_module()
class SensorNoise(RandomChange):
    """Gaussian noise, gray or in color, independent of brightness.

    Args:
        prob: In [0, 1].
        strength: Greatest standard deviation, in gray levels.
    """

    def __init__(self, prob: float = 0.3, strength: float = 14.0) -> None:
        super().__init__(prob)
        self.strength = strength

    def change(self, image: Image) -> Image:
        """Add noise."""
        channels = 3 if np.random.rand() < 0.7 else 1
        noise = np.random.standard_normal((*image.shape[:2], channels)).astype(np.float32)
        return image + noise * np.float32(np.random.uniform(0, self.strength))


@TRANSFORMS.register_module()
class JpegArtifacts(RandomChange):
    """Compress as JPEG and read again.

    Args:
        prob: In [0, 1].
        quality: Least and greatest quality, 1 to 100.
    """

    def __init__(self, prob: float = 0.3, quality: tuple[int, int] = (25, 90)) -> None:
        super().__init__(prob)
        self.quality = quality

    def change(self, image: Image) -> Image:
        """Write and read in memory."""
        quality = int(np.random.randint(self.quality[0], self.quality[1] + 1))
        pixels = np.clip(image, 0, 255).astype(np.uint8)
        _, data = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None  # encoded one line above
        return decoded.astype(np.float32)


def _learned_boxes(results: dict[str, Any]) -> np.ndarray:
    if 'gt_bboxes' not in results:
        return np.zeros((0, 4), np.float32)
    return results['gt_bboxes'].tensor.numpy()[~results['gt_ignore_flags']]


def _anywhere(room: np.ndarray) -> np.ndarray:
    """A random offset; if it is negative, the image is cropped."""
    return np.random.uniform(np.minimum(room, 0), np.maximum(room, 0))


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)


def _log_uniform(low: float, high: float) -> float:
    return float(np.exp(np.random.uniform(np.log(low), np.log(high))))


def _background(width: int, height: int) -> Image:
    """A plain color, a gradient, blotches, stripes or a checkerboard, of two random colors."""
    colors = np.random.uniform(0, 255, (2, 3 if np.random.rand() < 0.5 else 1))
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    angle, period = np.random.uniform(0, np.pi), _log_uniform(4, 80)
    across = (x * np.cos(angle) + y * np.sin(angle)) / period
    along = (y * np.cos(angle) - x * np.sin(angle)) / period
    kind = np.random.randint(5)
    if kind == 0:
        share = np.zeros((height, width))
    elif kind == 1:
        share = (across - across.min()) / np.ptp(across)
    elif kind == 2:
        cells = np.random.rand(*np.random.randint(2, 40, 2))
        share = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    else:
        share = (np.floor(across) + (np.floor(along) if kind == 4 else 0)) % 2
    canvas = colors[0] + (colors[1] - colors[0]) * share[..., None]
    canvas = canvas + np.random.normal(0, np.random.uniform(0.1, 8), (height, width, 3))
    return canvas.clip(0, 255).astype(np.uint8)


def _factor(greatest: float) -> float:
    """A factor between ``1 / greatest`` and ``greatest``."""
    return float(np.exp(np.random.uniform(-1, 1) * np.log(greatest)))


def _move(image: Image, length: float) -> Image:
    """Blur along a line, as a moving camera does."""
    size = max(3, round(length)) | 1
    angle = np.random.uniform(0, np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)]) * (size // 2)
    center = np.array([size // 2, size // 2])
    kernel = np.zeros((size, size), np.float32)
    start, end = (np.rint(center + sign * direction).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _coarsen(image: Image, factor: float) -> Image:
    """Shrink and enlarge again."""
    height, width = image.shape[:2]
    small = (max(2, round(width / factor)), max(2, round(height / factor)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
