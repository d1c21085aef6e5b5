import dataclasses

import cv2
import numpy as np
import pytest

from plate_renderer.scene.photograph import Exposure, develop, jpeg, metered

PLAIN = Exposure(0.0, (1.0, 1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, 90)


def gray(value: float) -> np.ndarray:
    return np.full((48, 64, 3), value)


def picture(radiance: np.ndarray, **changes: object) -> np.ndarray:
    return develop(radiance, dataclasses.replace(PLAIN, **changes), np.random.default_rng(0))


def test_automatic_exposure_compensates_the_lights_power() -> None:
    scene = np.random.default_rng(0).random((48, 64, 3))
    assert metered(scene) * 0.5 == pytest.approx(metered(2 * scene), rel=1e-3)
    np.testing.assert_allclose(picture(scene).astype(int), picture(8 * scene).astype(int), atol=1)


def test_dark_backgrounds_are_not_brightened_to_gray() -> None:
    scene = gray(0.01)
    scene[:6] = 1.0
    assert picture(scene)[30, 30].max() < 60


def test_stops_balance_and_vignetting() -> None:
    base = picture(gray(0.3)).astype(int)
    assert (picture(gray(0.3), stops=-1.0) < base).all()
    warm = picture(gray(0.3), balance=(1.1, 1.0, 0.9)).astype(int)
    assert (warm[..., 0] > base[..., 0]).all() and (warm[..., 2] < base[..., 2]).all()
    corner = picture(gray(0.3), vignetting=0.5).astype(int)
    assert corner[0, 0, 1] < corner[24, 32, 1]


def test_noise_is_reproducible_and_has_the_given_strength() -> None:
    one, two = picture(gray(0.3), noise=0.02), picture(gray(0.3), noise=0.02)
    np.testing.assert_array_equal(one, two)
    assert 1 < one.astype(float).std() < 12
    assert picture(gray(0.3)).std() < 0.5


def test_jpeg_decodes_to_the_image() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[..., 0] = 200
    back = cv2.imdecode(np.frombuffer(jpeg(image, 95), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(back.astype(int) - image).max() < 6


def test_motion_blur_is_along_the_motion_and_keeps_the_brightness() -> None:
    scene = gray(0.02)
    scene[:4] = 1.0
    scene[24, 32] = 0.5
    still, moved = picture(scene).astype(int), picture(scene, motion=(8.0, 0.0)).astype(int)
    assert (moved[24, 30:35, 1] > still[24, 35, 1]).all()
    assert moved[24, 32, 1] < still[24, 32, 1]
    assert abs(moved[20, 32, 1] - still[20, 32, 1]) <= 1
