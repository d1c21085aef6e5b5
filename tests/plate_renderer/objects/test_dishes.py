import numpy as np
import pytest

from plate_renderer.objects.dishes import (
    FOOT_HEIGHT,
    PETRI_SIZES,
    SQUARE_SIZES,
    Agar,
    DishSize,
    dish,
)
from plate_renderer.objects.materials import IOR, absorbed
from plate_renderer.objects.plates import Item
from tests.plate_renderer.measures import volume_of_medium

AGAR = Agar(3.5, (0.01, 0.02, 0.05))


def extent(item: Item) -> np.ndarray:
    return np.ptp(np.concatenate([part.mesh.vertices for part in item.parts]), axis=0)


@pytest.mark.parametrize(
    ('size', 'published'),
    [
        (PETRI_SIZES[35], (35, 35, 10)),
        (PETRI_SIZES[60], (60, 60, 15)),
        (PETRI_SIZES[90], (94, 94, 16)),
        (PETRI_SIZES[100], (100, 100, 15)),
        (PETRI_SIZES[150], (150, 150, 20)),
        (SQUARE_SIZES[100], (100, 100, 15)),
        (SQUARE_SIZES[120], (120, 120, 17)),
        (SQUARE_SIZES[245], (245, 245, 25)),
    ],
)
def test_dishes_with_lids_have_their_published_size(size: DishSize, published: tuple) -> None:
    lidded = dish(size, 'petri_dish', None, lid=True)
    np.testing.assert_allclose(extent(lidded), published, atol=0.1)


@pytest.mark.parametrize('size', [PETRI_SIZES[90], SQUARE_SIZES[100]])
def test_media_are_closed_and_have_the_expected_volume(size: DishSize) -> None:
    empty = dish(size, 'petri_dish', None, lid=False)
    poured = dish(size, 'petri_dish', AGAR, lid=False)
    plastic = volume_of_medium(empty.parts, IOR['polystyrene'])
    assert volume_of_medium(poured.parts, IOR['polystyrene']) == pytest.approx(plastic, rel=1e-6)
    floor = size.outline(size.dish_inset + size.wall).polygon().area
    assert volume_of_medium(poured.parts, IOR['agar']) == pytest.approx(
        floor * AGAR.depth, rel=0.06
    )
    # Wall and bottom of constant thickness, without the recess under the bottom.
    shell = size.outline(size.dish_inset).polygon()
    wall = (shell.area - floor) * size.dish_height + floor * size.wall
    assert plastic == pytest.approx(wall, rel=0.08)


def test_polystyrene_and_agar_share_one_interface() -> None:
    pairs = [
        (part.material.inside, part.material.outside)
        for part in dish(PETRI_SIZES[90], 'petri_dish', AGAR, lid=True).parts
    ]
    assert pairs.count((1.59, 1.335)) == 1
    assert (1.335, 1.59) not in pairs


def test_a_lid_does_not_touch_its_dish() -> None:
    size = PETRI_SIZES[90]
    bare = dish(size, 'petri_dish', None, lid=False)
    lid = dish(size, 'petri_dish', None, lid=True).parts[-1].mesh.vertices
    radius = np.hypot(lid[:, 0], lid[:, 1])
    wall = extent(bare)[0] / 2
    below_rim = lid[:, 2] < extent(bare)[2]
    assert radius[below_rim].min() > wall
    assert lid[radius < wall, 2].min() > extent(bare)[2]


def test_dishes_stack_without_touching() -> None:
    size = PETRI_SIZES[90]
    lower = dish(size, 'petri_dish', AGAR, lid=True)
    lid = lower.parts[-1].mesh.vertices
    upper = dish(size, 'petri_dish', AGAR, lid=True)
    foot = np.concatenate([part.mesh.vertices for part in upper.parts])
    foot = foot[foot[:, 2] < 0.05] + [0, 0, lower.height]
    assert foot[:, 2].min() > size.lid_top
    # The ring on the lid is inside the foot and lower than the recess under the bottom.
    ridge = lid[lid[:, 2] > size.lid_top + 0.01]
    assert np.hypot(ridge[:, 0], ridge[:, 1]).max() < np.hypot(foot[:, 0], foot[:, 1]).min()
    assert ridge[:, 2].max() < lower.height + FOOT_HEIGHT


def test_agar_up_to_the_rim_is_refused() -> None:
    with pytest.raises(ValueError, match='make it at most'):
        dish(PETRI_SIZES[35], 'petri_dish', Agar(9.0, (0, 0, 0)), lid=False)


def test_transmittance_follows_the_beer_lambert_law() -> None:
    once = np.array(absorbed((0.1, 0.2, 0.3), 2.0))
    np.testing.assert_allclose(absorbed((0.1, 0.2, 0.3), 4.0), once**2)


def test_an_upside_down_dish_stands_on_the_bench() -> None:
    turned = dish(PETRI_SIZES[60], 'petri_dish', AGAR, lid=True).upside_down()
    vertices = np.concatenate([part.mesh.vertices for part in turned.parts])
    assert vertices[:, 2].min() == pytest.approx(0)
    agar = next(p.mesh for p in turned.parts if p.material.inside == IOR['agar'])
    assert agar.normals[:, 2].mean() < -0.5
