import pytest
from shapely.geometry import box

from plate_renderer.geometry.extrusion import extrude
from tests.plate_renderer.measures import faces_agree_with_normals, volume


def test_extruded_media_are_closed_by_their_interfaces() -> None:
    glass = box(0, 0, 6, 6)
    bores = box(1, 1, 2, 2).union(box(3, 3, 5, 5))
    wet = box(3, 3, 5, 5)
    slices = [
        {'glass': glass},
        {'glass': glass.difference(bores), 'water': wet},
        {'glass': glass.difference(bores)},
    ]
    found = extrude([0, 1, 3, 4], slices, ['glass', 'water'])
    assert set(found) == {('glass', 'air'), ('glass', 'water'), ('water', 'air')}
    of_glass = volume(found['glass', 'air']) + volume(found['glass', 'water'])
    assert of_glass == pytest.approx(36 + 2 * 31 + 31)
    # Water is bounded by its surface and by the glass, whose normals point into the water.
    assert volume(found['water', 'air']) - volume(found['glass', 'water']) == pytest.approx(4 * 2)
    assert all(faces_agree_with_normals(mesh) for mesh in found.values())


def test_extrude_expects_one_level_more_than_slices() -> None:
    with pytest.raises(ValueError, match='2 levels and 2 slices'):
        extrude([0, 1], [{}, {}], ['glass'])
