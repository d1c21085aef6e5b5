import numpy as np
import pytest

from plate_renderer.objects.materials import IOR
from plate_renderer.objects.multiwell import DEPTH, LAYOUTS, LENGTH, Filling, multiwell_plate
from plate_renderer.objects.plates import Item
from tests.plate_renderer.measures import volume_of_medium


def extent(item: Item) -> np.ndarray:
    return np.ptp(np.concatenate([part.mesh.vertices for part in item.parts]), axis=0)


@pytest.mark.parametrize('wells', [6, 12, 24, 48, 96])
def test_plates_have_the_standard_footprint_and_height(wells: int) -> None:
    size = extent(multiwell_plate(LAYOUTS[wells]))
    height = 14.22 if wells == 96 else 20.27
    np.testing.assert_allclose(size, [127.76, 85.48, height], atol=0.01)


@pytest.mark.parametrize(('wells', 'a1'), [(96, (14.38, 11.24)), (384, (12.13, 8.99)),
                                           (6, (24.76, 23.16)), (48, (18.16, 10.08))])  # fmt: skip
def test_a1_has_its_published_position(wells: int, a1: tuple) -> None:
    first = LAYOUTS[wells].centers()[0]
    from_corner = (first[0] + LENGTH / 2, DEPTH / 2 - first[1])
    np.testing.assert_allclose(from_corner, a1, atol=0.1)


@pytest.mark.parametrize('wells', sorted(LAYOUTS))
def test_wells_have_the_right_number_and_do_not_overlap(wells: int) -> None:
    layout = LAYOUTS[wells]
    assert layout.count == wells == len(layout.centers())
    assert layout.width < layout.pitch


def test_96_wells_match_the_standard() -> None:
    layout = LAYOUTS[96]
    steps = np.diff(np.unique(layout.centers()[:, 0].round(6)))
    np.testing.assert_allclose(steps, 9.0)
    assert (layout.width, layout.well_depth) == (6.86, 10.67)


@pytest.mark.parametrize('wells', [6, 96])
def test_liquids_have_their_volume_and_do_not_change_the_plastic(wells: int) -> None:
    layout = LAYOUTS[wells]
    some = range(0, wells, 2)
    empty = multiwell_plate(layout)
    filled = multiwell_plate(layout, [Filling(some, 3.0, (0.1, 0.0, 0.0))])
    plastic = volume_of_medium(empty.parts, IOR['polystyrene'])
    assert volume_of_medium(filled.parts, IOR['polystyrene']) == pytest.approx(plastic, rel=1e-6)
    well = layout.well(layout.centers()[0]).area
    assert volume_of_medium(filled.parts, IOR['water']) == pytest.approx(
        well * 3.0 * len(some), rel=1e-6
    )


@pytest.mark.parametrize('wells', [6, 96, 384])
def test_every_well_has_a_floor(wells: int) -> None:
    layout = LAYOUTS[wells]
    mesh = multiwell_plate(layout).parts[0].mesh
    level = (np.abs(mesh.normals[mesh.faces][..., 2]) > 0.99).all(axis=1)
    corners = mesh.vertices[mesh.faces[level]]
    low, high = corners[..., :2].min(axis=1), corners[..., :2].max(axis=1)
    signs = np.sign(mesh.normals[mesh.faces[level]][:, 0, 2])
    for center in layout.centers()[:: max(1, wells // 12)]:
        over = ((low <= center) & (center <= high)).all(axis=1)
        a, b, c = (corners[over, k, :2] - center for k in range(3))
        turns = np.stack([p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
                          for p, q in ((a, b), (b, c), (c, a))])  # fmt: skip
        hit = (turns >= -1e-9).all(axis=0) | (turns <= 1e-9).all(axis=0)
        heights = corners[over][hit][:, 0, 2]
        facing = signs[over][hit]
        floor = layout.height - layout.well_depth
        assert heights[facing > 0].max() == pytest.approx(floor)
        assert heights[facing < 0].max() == pytest.approx(floor - 1.27)


def test_overflowing_liquids_are_refused() -> None:
    with pytest.raises(ValueError, match='overflows'):
        multiwell_plate(LAYOUTS[96], [Filling([0], 12.0, (0, 0, 0))])


def test_a_lid_does_not_touch_its_plate() -> None:
    bare, lidded = multiwell_plate(LAYOUTS[24]), multiwell_plate(LAYOUTS[24], lid=True)
    lid = lidded.parts[-1].mesh
    body = bare.parts[0].mesh.vertices
    skirt_low = lid.vertices[:, 2].min()
    upper = body[body[:, 2] > skirt_low]
    inwards = lid.vertices[:, 1] * lid.normals[:, 1] < 0
    inner = inwards & (np.abs(lid.normals[:, 1]) > 0.99) & (lid.vertices[:, 2] == skirt_low)
    assert np.abs(lid.vertices[inner, 1]).min() > np.abs(upper[:, 1]).max() + 0.3
    assert extent(lidded)[2] > extent(bare)[2]
