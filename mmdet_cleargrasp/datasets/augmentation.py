"""Training images varied: framing that keeps plates whole, and the look of cameras and lamps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

Image = np.ndarray
#: Windows that are tried before an image stays uncropped.
TRIES = 20


@TRANSFORMS.register_module()
class CropAroundPlates(BaseTransform):
    """Crop at random, but not through plates.

    MMDetection's crops clip boxes to any rest; half a dish is then taught to be a dish. Here every
    plate is outside, whole, or cut by little.

    Args:
        prob: In [0, 1].
        size: Least and greatest side of the window, as shares of the image's sides; the two are
            drawn alike up to ``stretch``.
        stretch: Greatest factor between the shares of width and height.
        min_visible: Share of a plate's box that has to be inside for it to be cut, in (0, 1].
    """

    def __init__(
        self,
        prob: float = 0.5,
        size: tuple[float, float] = (0.35, 1.0),
        stretch: float = 1.4,
        min_visible: float = 0.75,
    ) -> None:
        self.prob, self.size, self.stretch, self.min_visible = prob, size, stretch, min_visible

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop image and boxes, or leave them where no window is found."""
        if np.random.rand() >= self.prob:
            return results
        boxes = results['gt_bboxes'].tensor.numpy()
        for _ in range(TRIES):
            window = self._draw(*results['img'].shape[:2])
            visible = _visible_shares(boxes, window)
            if ((visible == 0) | (visible >= self.min_visible)).all():
                _crop(results, window, visible > 0)
                break
        return results

    def _draw(self, height: int, width: int) -> np.ndarray:
        """A window x1, y1, x2, y2."""
        share = np.random.uniform(*self.size)
        stretch = np.exp(np.random.uniform(-1, 1) * np.log(self.stretch) / 2)
        w = max(1, int(width * min(1, share * stretch)))
        h = max(1, int(height * min(1, share / stretch)))
        x, y = np.random.randint(0, width - w + 1), np.random.randint(0, height - h + 1)
        return np.float32([x, y, x + w, y + h])


@TRANSFORMS.register_module()
class ZoomOut(BaseTransform):
    """Place the image on a larger canvas of a random background, so that plates get smaller.

    The background is a plain color, a gradient between two, or blotches of many. (MMDetection's
    ``Expand`` fills with one fixed color.)

    Args:
        prob: In [0, 1].
        ratio: Least and greatest factor between the sides of canvas and image, from 1 on.
    """

    def __init__(self, prob: float = 0.3, ratio: tuple[float, float] = (1.0, 2.5)) -> None:
        self.prob, self.ratio = prob, ratio

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Place image and boxes."""
        if np.random.rand() >= self.prob:
            return results
        height, width = results['img'].shape[:2]
        ratio = np.random.uniform(*self.ratio)
        canvas = _background(int(height * ratio), int(width * ratio))
        top = np.random.randint(0, canvas.shape[0] - height + 1)
        left = np.random.randint(0, canvas.shape[1] - width + 1)
        canvas[top : top + height, left : left + width] = results['img']
        results['img'], results['img_shape'] = canvas, canvas.shape[:2]
        results['gt_bboxes'].translate_([left, top])
        return results


class RandomChange(BaseTransform):
    """A change of an image's pixels that is made with a probability.

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
        """Change an image, float32 between 0 and 255; for subclasses to write."""
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
        return 255 * (image / 255) ** np.float32(_factor(self.gamma)) * factors.astype(np.float32)


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
    """Normal noise, gray or in color, of which dark regions have as much as bright ones.

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
        return cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32)


def _visible_shares(boxes: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The share of each box that lies in the window."""
    sides = np.minimum(boxes[:, 2:], window[2:]) - np.maximum(boxes[:, :2], window[:2])
    return sides.clip(0).prod(1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)


def _crop(results: dict[str, Any], window: np.ndarray, kept: np.ndarray) -> None:
    x1, y1, x2, y2 = window.astype(int)
    results['img'] = np.ascontiguousarray(results['img'][y1:y2, x1:x2])
    results['img_shape'] = results['img'].shape[:2]
    boxes = results['gt_bboxes'][kept]
    boxes.translate_([-x1, -y1])
    boxes.clip_(results['img_shape'])
    results['gt_bboxes'] = boxes
    for key in ('gt_bboxes_labels', 'gt_ignore_flags'):
        results[key] = results[key][kept]


def _background(height: int, width: int) -> Image:
    colors = np.random.randint(0, 256, (2, 3)).astype(np.float32)
    kind = np.random.randint(3)
    if kind == 0:  # plain
        coarse = colors[:1, None]
    elif kind == 1:  # a gradient across or down
        coarse = colors[None] if np.random.rand() < 0.5 else colors[:, None]
    else:  # blotches
        rows, columns = np.random.randint(2, 9, 2)
        coarse = colors[0] + np.random.uniform(-80, 80, (rows, columns, 3)).astype(np.float32)
    fine = cv2.resize(np.float32(coarse), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(fine, 0, 255).astype(np.uint8)


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
    ends = [tuple(int(v) for v in np.rint(center + sign * direction)) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _coarsen(image: Image, factor: float) -> Image:
    """Shrink and enlarge again."""
    height, width = image.shape[:2]
    small = (max(2, round(width / factor)), max(2, round(height / factor)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
