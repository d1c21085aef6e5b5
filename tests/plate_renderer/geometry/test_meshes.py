import numpy as np
import pytest
from shapely.geometry import Point, Polygon, box

from plate_renderer.geometry.meshes import (
    Mesh,
    Outline,
    capsule,
    domes,
    faceted,
    grooved_sheet,
    loft,
    merge,
    sheet,
    terraces,
    tube,
)
from tests.plate_renderer.volumes import volume


def faces_agree_with_normals(mesh: Mesh) -> bool:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    mean = mesh.normals[mesh.faces].mean(axis=1)
    return bool((np.einsum('ij,ij->i', flat, mean) > 0).all())


@pytest.mark.parametrize('outline', [Outline.circle(90), Outline(100, 80, 10)])
def test_a_lofted_cup_holds_its_volume(outline: Outline) -> None:
    axis = min(outline.width, outline.depth) / 2
    cup = loft(outline, [(axis, 0), (0, 0), (0, 15), (1.3, 15), (1.3, 2), (axis, 2)])
    expected = outline.polygon().area * 15 - outline.polygon(1.3).area * 13
    assert volume(cup) == pytest.approx(expected, rel=5e-3)
    assert faces_agree_with_normals(cup)
    np.testing.assert_allclose(np.linalg.norm(cup.normals, axis=1), 1)


def test_a_rounded_profile_is_smooth_and_a_corner_is_not() -> None:
    outline = Outline.circle(10)
    bend = loft(outline, [(0, 0), (0.0, 1), (0.2, 2)])
    corner = loft(outline, [(0, 0), (0, 1), (1, 1)])
    at_joint = np.isclose(bend.vertices[:, 2], 1)
    assert len(np.unique(bend.normals[at_joint][:, 2].round(6))) == 1
    at_joint = np.isclose(corner.vertices[:, 2], 1) & (corner.vertices[:, 0] > 4.99)
    assert set(corner.normals[at_joint][:, 2].round(6)) == {0.0, 1.0}


def test_an_outline_refuses_corners_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match='corner radius of 7 mm does not fit'):
        Outline(10, 10, 7)


def test_a_profile_needs_two_points() -> None:
    with pytest.raises(ValueError, match='at least 2 points, found 1'):
        loft(Outline.circle(10), [(0, 0)])


def test_a_sheet_fills_its_figure_and_spans_its_texture() -> None:
    ring = Point(0, 0).buffer(5).difference(Point(0, 0).buffer(2))
    mesh = sheet(ring, 3.0)
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert np.cross(b - a, c - a)[:, 2].sum() / 2 == pytest.approx(ring.area)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    assert mesh.uv.min() == pytest.approx(0) and mesh.uv.max() == pytest.approx(1)
    with pytest.raises(ValueError, match='with an area'):
        sheet(Polygon(), 0.0)


def test_terraces_bound_each_medium_exactly_once() -> None:
    glass = box(0, 0, 6, 6)
    bores = box(1, 1, 2, 2).union(box(3, 3, 5, 5))
    wet = box(3, 3, 5, 5)
    slices = [
        {'glass': glass},
        {'glass': glass.difference(bores), 'water': wet},
        {'glass': glass.difference(bores)},
    ]
    found = terraces([0, 1, 3, 4], slices, ['glass', 'water'])
    assert set(found) == {('glass', 'air'), ('glass', 'water'), ('water', 'air')}
    of_glass = volume(found['glass', 'air']) + volume(found['glass', 'water'])
    assert of_glass == pytest.approx(36 + 2 * 31 + 31)
    # Water is closed by its surface and the walls of the glass, seen from the other side.
    assert volume(found['water', 'air']) - volume(found['glass', 'water']) == pytest.approx(4 * 2)
    assert all(faces_agree_with_normals(mesh) for mesh in found.values())


def test_terraces_need_one_level_more_than_slices() -> None:
    with pytest.raises(ValueError, match='2 levels and 2 slices'):
        terraces([0, 1], [{}, {}], ['glass'])


def test_a_grooved_sheet_rises_only_at_its_ridges_and_meets_its_frame() -> None:
    mesh = grooved_sheet(20, 10, 1.0, pitch=5, width=1.0, height=0.4)
    on_rim = (np.abs(mesh.vertices[:, 0]) == 20) | (np.abs(mesh.vertices[:, 1]) == 10)
    assert (mesh.vertices[on_rim, 2] == 1.0).all()
    assert mesh.vertices[:, 2].max() == pytest.approx(1.4)
    between = np.isclose(mesh.vertices[:, 2], 1.0)
    assert 0.3 < between.mean() < 0.9


def test_domes_are_closed_half_ellipsoids() -> None:
    dome = domes(np.zeros((1, 3)), np.array([[2.0, 3.0]]), np.array([1.5]), turns=60)
    assert volume(dome) == pytest.approx(2 / 3 * np.pi * 2 * 3 * 1.5, rel=0.05)


def test_moving_and_turning_inside_out_keep_size() -> None:
    cube = terraces([0, 2], [{'a': box(0, 0, 2, 2)}], ['a'])['a', 'air']
    move = np.array([[0.0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
    assert volume(cube.transformed(move)) == pytest.approx(8)
    assert volume(cube.reversed()) == pytest.approx(-8)
    np.testing.assert_allclose(volume(merge([cube, cube])), 16)
    with pytest.raises(ValueError, match='no mesh'):
        merge([])


def test_faceted_drops_triangles_without_area() -> None:
    triangles = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0], [1, 1, 1], [2, 2, 2]]])
    assert len(faceted(triangles.astype(float)).faces) == 1


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
