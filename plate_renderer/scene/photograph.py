"""Conversion of radiance to a photograph: exposure, white balance, lens, noise, tone, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Exposure:
    """Parameters of `develop`.

    Args:
        stops: Correction of the automatic exposure in stops; positive is brighter.
        balance: Linear RGB gains of an imperfect white balance.
        vignetting: Loss of light in the corners, in [0, 1].
        noise: Standard deviation of the sensor noise at mid-gray, relative to white.
        contrast: Strength of the tone curve in [0, 1]; 0 is plain sRGB.
        sharpening: Strength of the unsharp mask.
        blur: Standard deviation of the lens blur in pixels.
        quality: JPEG quality, from 1 to 100.
        motion: Movement (x, y) of the camera during the exposure in pixels.
    """

    stops: float
    balance: tuple[float, float, float]
    vignetting: float
    noise: float
    contrast: float
    sharpening: float
    blur: float
    quality: int
    motion: tuple[float, float] = (0.0, 0.0)


def metered(radiance: np.ndarray) -> float:
    """Gain of an automatic exposure that keeps the highlights.

    Args:
        radiance: Linear RGB, float of shape (h, w, 3).

    Returns:
        Factor that scales the image to [0, 1], except for the brightest highlights.

    Example:
        >>> round(metered(np.full((4, 4, 3), 0.21)), 2)
        2.0
    """
    luminance = radiance @ [0.2126, 0.7152, 0.0722]
    mean = np.exp(np.log(luminance + 1e-4).mean())
    highlights = np.percentile(luminance, 98.5)
    # Limited by the highlights, so that dark backgrounds stay dark.
    return float(min(0.95 / max(highlights, 1e-4), 0.42 / max(mean, 1e-4)))


def develop(radiance: np.ndarray, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """Convert radiance to an image.

    Args:
        radiance: Linear RGB, float of shape (h, w, 3).
        exposure: Parameters.
        rng: Random generator of the noise.

    Returns:
        RGB image, uint8 of shape (h, w, 3).

    Example:
        >>> neutral = Exposure(0.0, (1.0, 1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, quality=90)
        >>> image = develop(np.full((4, 4, 3), 0.5), neutral, np.random.default_rng(0))
        >>> image.shape, image.dtype
        ((4, 4, 3), dtype('uint8'))
    """
    height, width = radiance.shape[:2]
    linear = radiance * metered(radiance) * 2.0**exposure.stops * np.asarray(exposure.balance)
    if exposure.blur > 0:
        # Before clipping, so that glare spreads as in a real lens.
        linear = cv2.GaussianBlur(linear, (0, 0), exposure.blur)
    if np.hypot(*exposure.motion) > 0.5:
        linear = cv2.filter2D(linear, -1, _motion_kernel(exposure.motion))
    halo = cv2.GaussianBlur(np.minimum(linear, 8.0), (0, 0), 0.02 * width)
    linear = 0.985 * linear + 0.015 * halo
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    linear *= (1 - exposure.vignetting * (x**2 + y**2) / 2)[..., None]
    shot = exposure.noise * np.sqrt(np.clip(linear, 0, 1) / 0.18 + 0.05)
    linear = linear + shot * rng.normal(size=linear.shape)
    # Highlights approach white smoothly instead of being clipped.
    linear = np.clip(linear, 0, None)
    linear = np.where(linear > 0.8, 0.8 + 0.2 * (1 - np.exp(-(linear - 0.8) / 0.2)), linear)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    curve = encoded * encoded * (3 - 2 * encoded)
    encoded = (1 - exposure.contrast) * encoded + exposure.contrast * curve
    if exposure.sharpening > 0:
        encoded += exposure.sharpening * (encoded - cv2.GaussianBlur(encoded, (0, 0), 1.0))
    return (np.clip(encoded, 0, 1) * 255 + 0.5).astype(np.uint8)


def _motion_kernel(motion: tuple[float, float]) -> np.ndarray:
    """Convolution kernel of a linear motion."""
    reach = int(np.ceil(max(np.abs(motion)) / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for share in np.linspace(-0.5, 0.5, 32):
        x, y = share * motion[0] + reach, share * motion[1] + reach
        kernel[round(y), round(x)] += 1
    return kernel / kernel.sum()


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """Encode an image as JPEG.

    Args:
        image: RGB, uint8 of shape (h, w, 3).
        quality: JPEG quality, from 1 to 100.

    Raises:
        RuntimeError: If OpenCV cannot encode it.
    """
    done, data = cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f'OpenCV could not encode an image of shape {image.shape} as JPEG')
    return data.tobytes()
