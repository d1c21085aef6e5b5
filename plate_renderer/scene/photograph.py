"""From radiance to a photograph: exposure, white balance, lens, sensor noise, tone, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Exposure:
    """How a picture is taken and developed.

    Args:
        stops: Brighter (positive) or darker than the automatic exposure.
        balance: Linear RGB gains that are left over after white balance.
        vignetting: Loss of light in the corners, in [0, 1].
        noise: Standard deviation of sensor noise at mid-gray, as a share of white.
        contrast: Strength of the tone curve; 0 is plain sRGB.
        sharpening: Strength of the camera's unsharp mask.
        blur: Standard deviation in pixels of the optics' blur.
        quality: Of the JPEG, 1–100.
        motion: Way of the camera during the exposure in pixels, (x, y).
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
    """Gain of an automatic exposure that keeps the highlights, as a camera meters a scene.

    Args:
        radiance: Linear RGB, float of shape (h, w, 3).

    Returns:
        Factor that brings the picture to linear [0, 1], apart from what glares.
    """
    luminance = radiance @ [0.2126, 0.7152, 0.0722]
    mean = np.exp(np.log(luminance + 1e-4).mean())
    highlights = np.percentile(luminance, 98.5)
    # Dark grounds are not brightened to mid-gray, and bright ones not beyond white.
    return float(min(0.95 / max(highlights, 1e-4), 0.42 / max(mean, 1e-4)))


def develop(radiance: np.ndarray, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """Turn radiance into a picture.

    Args:
        radiance: Linear RGB, float of shape (h, w, 3).
        exposure: How to take it.
        rng: Source of the noise.

    Returns:
        uint8 of shape (h, w, 3), RGB.
    """
    height, width = radiance.shape[:2]
    linear = radiance * metered(radiance) * 2.0**exposure.stops * np.asarray(exposure.balance)
    if exposure.blur > 0:
        # Before clipping, so that glare spreads as it does in a lens.
        linear = cv2.GaussianBlur(linear, (0, 0), exposure.blur)
    if np.hypot(*exposure.motion) > 0.5:
        linear = cv2.filter2D(linear, -1, _path(exposure.motion))
    halo = cv2.GaussianBlur(np.minimum(linear, 8.0), (0, 0), 0.02 * width)
    linear = 0.985 * linear + 0.015 * halo
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    linear *= (1 - exposure.vignetting * (x**2 + y**2) / 2)[..., None]
    shot = exposure.noise * np.sqrt(np.clip(linear, 0, 1) / 0.18 + 0.05)
    linear = linear + shot * rng.normal(size=linear.shape)
    # Shoulder: highlights roll off to white instead of being cut.
    linear = np.clip(linear, 0, None)
    linear = np.where(linear > 0.8, 0.8 + 0.2 * (1 - np.exp(-(linear - 0.8) / 0.2)), linear)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    curve = encoded * encoded * (3 - 2 * encoded)
    encoded = (1 - exposure.contrast) * encoded + exposure.contrast * curve
    if exposure.sharpening > 0:
        encoded += exposure.sharpening * (encoded - cv2.GaussianBlur(encoded, (0, 0), 1.0))
    return (np.clip(encoded, 0, 1) * 255 + 0.5).astype(np.uint8)


def _path(motion: tuple[float, float]) -> np.ndarray:
    """Kernel of a straight motion during the exposure."""
    reach = int(np.ceil(max(np.abs(motion)) / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for share in np.linspace(-0.5, 0.5, 32):
        x, y = share * motion[0] + reach, share * motion[1] + reach
        kernel[round(y), round(x)] += 1
    return kernel / kernel.sum()


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """Encode an RGB uint8 image as JPEG."""
    done, data = cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f'OpenCV could not encode an image of shape {image.shape} as JPEG')
    return data.tobytes()
