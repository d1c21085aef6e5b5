import numpy as np
import pytest
from shapely.geometry import box

from plate_renderer.geometry.extrusion import extrude
from plate_renderer.geometry.mesh import faceted, merge
from tests.plate_renderer.measures import volume


def test_transformed_and_reversed_meshes_keep_their_volume() -> None:
    cube = extrude([0, 2], [{'a': box(0, 0, 2, 2)}], ['a'])['a', 'air']
    move = np.array([[0.0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
    assert volume(cube.transformed(move)) == pytest.approx(8)
    assert volume(cube.reversed()) == pytest.approx(-8)
    np.testing.assert_allclose(volume(merge([cube, cube])), 16)
    with pytest.raises(ValueError, match='no mesh'):
        merge([])


def test_faceted_drops_triangles_without_area() -> None:
    triangles = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0], [1, 1, 1], [2, 2, 2]]])
    assert len(faceted(triangles.astype(float)).faces) == 1
