import numpy as np
import pytest

from plate_renderer.scene.arrangements import draw_arrangement, draw_loose_lids
from plate_renderer.scene.placement import Placed
from plate_renderer.scene.spec import PlateSpec, SceneSpec

DISHES = PlateSpec(
    classes={'petri_dish': 1}, petri_sizes={60: 1}, growth={'empty': 1}, lid=0, loose_lid=1
)
SMALL = PlateSpec(petri_sizes={60: 1}, square_sizes={100: 1}, wells={6: 1}, growth={'empty': 1})


def heights(placed: Placed) -> tuple[float, float]:
    return float(placed.points[:, 2].min()), float(placed.points[:, 2].max())


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('name', ['deck', 'empty_deck', 'reader', 'held'])
def test_holders_of_plates(name: str, seed: int) -> None:
    scene = SceneSpec(arrangements={name: 1})
    placed = draw_arrangement(SMALL, scene, np.random.default_rng(seed))
    plates = [p for p in placed if p.item.category]
    holders = {p.item.label for p in placed if not p.item.category}
    expected = {'reader': {'deck', 'instrument'}, 'held': {'hand'}}.get(name, {'deck'})
    assert holders == expected
    assert (len(plates) == 0) if name == 'empty_deck' else (1 <= len(plates) <= 4)
    lowest = min(heights(p)[0] for p in placed)
    assert lowest > -0.01


@pytest.mark.parametrize('seed', range(4))
def test_plates_in_nests_do_not_overlap(seed: int) -> None:
    scene = SceneSpec(arrangements={'deck': 1})
    placed = draw_arrangement(SMALL, scene, np.random.default_rng(seed))
    grounds = [p.ground for p in placed if p.item.category]
    for k, ground in enumerate(grounds):
        assert all(ground.distance(other) > 1.0 for other in grounds[k + 1 :])
        assert placed[0].ground.covers(ground)


@pytest.mark.parametrize('seed', range(8))
def test_a_loose_lid_is_beside_its_dish_or_leans_on_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    placed = draw_arrangement(DISHES, SceneSpec(arrangements={'single': 1}), rng)
    lids = draw_loose_lids(DISHES, placed, rng)
    assert [lid.item.loose_lid for lid in lids] == [True]
    low, high = heights(lids[0])
    assert low == pytest.approx(0.0, abs=0.2)
    rim = heights(placed[0])[1]
    if lids[0].ground.distance(placed[0].ground) == 0:
        assert rim < high < rim + 60
        inside = placed[0].ground.buffer(-4).contains(lids[0].ground)
        assert not inside
    else:
        assert high < 25


def test_no_loose_lids_by_default() -> None:
    rng = np.random.default_rng(0)
    placed = draw_arrangement(SMALL, SceneSpec(arrangements={'single': 1}), rng)
    assert draw_loose_lids(SMALL, placed, rng) == []
