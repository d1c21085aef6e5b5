import numpy as np
import pytest
from shapely.geometry import Point, Polygon

from plate_renderer.geometry.shapes import capsule, domes, grooved_sheet, sheet, tube
from tests.plate_renderer.measures import faces_agree_with_normals, volume


def test_a_sheet_has_the_area_of_its_figure_and_the_whole_texture() -> None:
    ring = Point(0, 0).buffer(5).difference(Point(0, 0).buffer(2))
    mesh = sheet(ring, 3.0)
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert np.cross(b - a, c - a)[:, 2].sum() / 2 == pytest.approx(ring.area)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    assert mesh.uv.min() == pytest.approx(0) and mesh.uv.max() == pytest.approx(1)
    with pytest.raises(ValueError, match='with an area'):
        sheet(Polygon(), 0.0)


def test_a_grooved_sheet_is_flat_at_its_border_and_between_ridges() -> None:
    mesh = grooved_sheet(20, 10, 1.0, pitch=5, width=1.0, height=0.4)
    on_rim = (np.abs(mesh.vertices[:, 0]) == 20) | (np.abs(mesh.vertices[:, 1]) == 10)
    assert (mesh.vertices[on_rim, 2] == 1.0).all()
    assert mesh.vertices[:, 2].max() == pytest.approx(1.4)
    between = np.isclose(mesh.vertices[:, 2], 1.0)
    assert 0.3 < between.mean() < 0.9


def test_domes_are_closed_half_ellipsoids() -> None:
    dome = domes(np.zeros((1, 3)), np.array([[2.0, 3.0]]), np.array([1.5]), turns=60)
    assert volume(dome) == pytest.approx(2 / 3 * np.pi * 2 * 3 * 1.5, rel=0.05)


def test_a_tube_follows_its_path() -> None:
    path = np.array([[0.0, 0, 0], [10, 0, 0], [20, 5, 3]])
    mesh = tube(path, np.array([1.0, 1.0, 1.0]), turns=8)
    assert faces_agree_with_normals(mesh)
    from_path = np.linalg.norm(mesh.vertices.reshape(3, 8, 3) - path[:, None], axis=-1)
    np.testing.assert_allclose(from_path, 1.0)


def test_a_capsule_is_closed_and_round_at_both_ends() -> None:
    mesh = capsule(np.zeros(3), np.array([30.0, 0, 10.0]), 5.0, 3.0)
    edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    length = np.hypot(30, 10)
    frustum = np.pi * length / 3 * (25 + 15 + 9)
    ends = 2 / 3 * np.pi * (125 + 27)
    assert volume(mesh) == pytest.approx(frustum + ends, rel=0.15)
    assert len(edges) > 100
    along = mesh.vertices @ [30 / length, 0, 10 / length]
    assert along.min() == pytest.approx(-5.0) and along.max() == pytest.approx(length + 3.0)
