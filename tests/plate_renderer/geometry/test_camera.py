import numpy as np
import pytest

from plate_renderer.geometry.camera import Camera, framing

CUBE = np.array([[x, y, z] for x in (-50, 50) for y in (-40, 40) for z in (0, 20)], float)


def view(elevation: float = 50, fill: float = 0.8, shift: tuple = (0.0, 0.0)) -> Camera:
    return framing(CUBE, elevation, 30, 5, fill, shift, 35, (512, 384))


@pytest.mark.parametrize(
    ('elevation', 'fill'), [(25, 0.5), (25, 0.9), (60, 0.9), (60, 1.4), (90, 0.5), (90, 1.4)]
)
def test_framed_points_are_centered_and_fill_the_given_share(elevation: float, fill: float) -> None:
    pixels = view(elevation, fill).project(CUBE)
    span = np.ptp(pixels, axis=0) / [512, 384]
    assert span.max() == pytest.approx(fill, rel=0.02)
    middle = (pixels.min(axis=0) + pixels.max(axis=0)) / 2
    np.testing.assert_allclose(middle, [256, 192], atol=6)


def test_shift_moves_the_points_by_a_share_of_the_frame() -> None:
    moved = view(shift=(0.1, 0.0)).project(CUBE).mean(axis=0) - view().project(CUBE).mean(axis=0)
    assert moved[0] == pytest.approx(51.2, rel=0.15)
    assert abs(moved[1]) < 4


def test_axes_are_orthonormal_and_right_handed() -> None:
    axes = view().axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)


def test_ground_points_project_back_to_their_pixel() -> None:
    camera = view()
    point = camera.ground_point(100.0, 300.0)
    assert point[2] == pytest.approx(0)
    np.testing.assert_allclose(camera.project(point[None])[0], [100, 300])
    level = Camera((0, 0, 10), (100, 0, 10), (0, 0, 1), 35, 100, 100)
    assert level.ground_point(50, 10) is None


def test_points_on_a_ray_project_to_its_pixel() -> None:
    camera = view()
    ray = camera.rays()[37, 205]
    world = np.asarray(camera.origin) + 300 * ray @ camera.axes
    np.testing.assert_allclose(camera.project(world[None])[0], [205.5, 37.5])


def test_points_behind_the_lens_are_not_visible() -> None:
    camera = view()
    behind = np.asarray(camera.origin) + 100 * camera.axes[2]
    assert np.isnan(camera.project(behind[None])).all()
    assert not camera.sees(behind[None])
    assert camera.sees(CUBE)
