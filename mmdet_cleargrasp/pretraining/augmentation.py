"""ClearGrasp's image augmentation: brightness, color, blur, noise and blocks, not geometry.

Kinds, strengths and probabilities are those of its training scripts
(https://github.com/Shreeyak/cleargrasp, ``pytorch_networks/*/train.py``). These use imgaug, which
does not support NumPy 2. Images are float32 (H, W, 3) in BGR, from 0 to 255.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from mmdet.registry import TRANSFORMS

from ..datasets.augmentation import Image, RandomChange


@TRANSFORMS.register_module()
class BrightPatches(RandomChange):
    """Brighten smooth random regions, as a lamp or the sun does.

    There the image is blended with itself at 1.5 to 3 times the brightness.

    Args:
        prob: Probability that an image is changed, in [0, 1].

    Example:
        >>> image = np.full((32, 48, 3), 100, np.uint8)
        >>> BrightPatches(prob=1.0)(dict(img=image))['img'].shape
        (32, 48, 3)
    """

    def __init__(self, prob: float = 0.1) -> None:
        super().__init__(prob)

    def change(self, image: Image) -> Image:
        """Brighten regions where smooth noise is high."""
        coarse = np.random.rand(*np.random.randint(2, 8, 2)).astype(np.float32)
        noise = cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        share = (noise.clip(0, 1) * np.random.uniform(0.2, 0.7))[..., None]
        return image * (1 - share + share * np.random.uniform(1.5, 3.0))


@TRANSFORMS.register_module()
class ColorChange(RandomChange):
    """Change brightness, hue, saturation or contrast, or blend with the grayscale image.

    Args:
        prob: Probability that an image is changed, in [0, 1].

    Example:
        >>> image = np.full((32, 48, 3), 100, np.uint8)
        >>> ColorChange(prob=1.0)(dict(img=image))['img'].shape
        (32, 48, 3)
    """

    def __init__(self, prob: float = 0.3) -> None:
        super().__init__(prob)

    def change(self, image: Image) -> Image:
        """Apply one of the changes, all with the same probability."""
        return _one_of(_add, _multiply, _hue, _saturation, _contrast, _gray)(image)


@TRANSFORMS.register_module()
class BlurAndNoise(RandomChange):
    """Apply a slight blur, one of five kinds of noise, or both.

    Args:
        prob: Probability that an image is changed, in [0, 1].

    Example:
        >>> image = np.full((32, 48, 3), 100, np.uint8)
        >>> BlurAndNoise(prob=1.0)(dict(img=image))['img'].shape
        (32, 48, 3)
    """

    def __init__(self, prob: float = 0.2) -> None:
        super().__init__(prob)

    def change(self, image: Image) -> Image:
        """Blur, add noise, or do both in random order."""
        steps = [_one_of(_motion_blur, _gaussian_blur), _one_of(*NOISES)]
        np.random.shuffle(steps)  # type: ignore[arg-type]  # any list; the stubs know arrays
        for step in steps[: np.random.randint(1, 3)]:
            image = step(image)
        return image


@TRANSFORMS.register_module()
class ColoredBlocks(RandomChange):
    """Set random blocks of pixels to zero, in all color channels or in each independently.

    Args:
        prob: Probability that an image is changed, in [0, 1].
        share: Probability that a block is set to zero, in [0, 1].

    Example:
        >>> image = np.full((32, 48, 3), 100, np.uint8)
        >>> ColoredBlocks(prob=1.0)(dict(img=image))['img'].shape
        (32, 48, 3)
    """

    def __init__(self, prob: float = 0.2, share: float = 0.02) -> None:
        super().__init__(prob)
        self.share = share

    def change(self, image: Image) -> Image:
        """Set blocks of a grid of 4 to 16 by 4 to 16 to zero."""
        channels = 3 if np.random.rand() < 0.5 else 1
        rows, columns = np.random.randint(4, 17, 2)
        kept: Image = (np.random.rand(rows, columns, channels) >= self.share).astype(np.float32)
        kept = cv2.resize(kept, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        return image * kept.reshape(*image.shape[:2], channels)


def _one_of(*changes: Callable[[Image], Image]) -> Callable[[Image], Image]:
    return changes[np.random.randint(len(changes))]


def _by_channel(probability: float) -> int:
    """Number of random values to draw: 3, one per channel, or 1 for all channels."""
    return 3 if np.random.rand() < probability else 1


def _add(image: Image) -> Image:
    return image + 20 * np.random.randint(0, 2, _by_channel(0.7))


def _multiply(image: Image) -> Image:
    return image * np.where(np.random.rand(_by_channel(0.7)) < 0.5, 1.3, 1.0)


def _hue(image: Image) -> Image:
    return _in_hsv(image, 0, np.random.uniform(0, 360))


def _saturation(image: Image) -> Image:
    return _in_hsv(image, 1, np.random.uniform(-0.08, 0.08))


def _in_hsv(image: Image, channel: int, change: float) -> Image:
    hsv: Image = cv2.cvtColor(image.clip(0, 255) / np.float32(255), cv2.COLOR_BGR2HSV)
    hsv[..., channel] += change
    hsv[..., 0] %= 360
    hsv[..., 1] = hsv[..., 1].clip(0, 1)
    return 255 * cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def _contrast(image: Image) -> Image:
    return 128 + (image - 128) * np.random.uniform(0.5, 1.5, _by_channel(0.2))


def _gray(image: Image) -> Image:
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None]
    share = np.random.rand()
    return image * (1 - share) + gray * share


def _motion_blur(image: Image) -> Image:
    kernel = np.zeros((3, 3), np.float32)
    ends = [((0, 1), (2, 1)), ((1, 0), (1, 2)), ((0, 0), (2, 2)), ((0, 2), (2, 0))]
    for position in ((1, 1), *ends[np.random.randint(4)]):
        kernel[position] = 1 / 3
    return cv2.filter2D(image, -1, kernel)


def _gaussian_blur(image: Image) -> Image:
    return cv2.GaussianBlur(image, (0, 0), np.random.uniform(0.5, 1.0))


def _noise_shape(image: Image) -> tuple[int, int, int]:
    return (*image.shape[:2], _by_channel(0.5))


def _add_noise(image: Image) -> Image:
    return image + np.random.randint(-5, 6, _noise_shape(image))


def _multiply_noise(image: Image) -> Image:
    return image * np.random.uniform(0.95, 1.05, _noise_shape(image))


def _gaussian_noise(image: Image) -> Image:
    return image + np.random.normal(0, 2.55, _noise_shape(image))


def _laplace_noise(image: Image) -> Image:
    return image + np.random.laplace(0, np.random.uniform(0.01, 2.55), image.shape)


def _lost_pixels(image: Image) -> Image:
    return image * (np.random.rand(*_noise_shape(image)) >= np.random.uniform(0.003, 0.01))


NOISES = (_add_noise, _multiply_noise, _gaussian_noise, _laplace_noise, _lost_pixels)
