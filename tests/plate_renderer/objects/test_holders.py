import numpy as np
import pytest

from plate_renderer.objects.holders import deck, hand
from plate_renderer.objects.materials import Opaque


@pytest.mark.parametrize('round_nests', [False, True])
@pytest.mark.parametrize('seed', range(4))
def test_nests_have_the_given_size(round_nests: bool, seed: int) -> None:
    size = (95.0, 95.0) if round_nests else (129.0, 87.0)
    built = deck(3, 2, size, round_nests, np.random.default_rng(seed))
    assert built.nests.shape == (6, 2)
    floor, walls = (part.mesh.vertices for part in built.item.parts)
    assert floor[:, 2].max() < built.floor < walls[:, 2].max()
    for nest in built.nests:
        away = np.abs(walls[:, :2] - nest)
        if round_nests:
            assert np.hypot(*away.T).min() > size[0] / 2 - 0.2
        else:
            assert ((away[:, 0] > size[0] / 2 - 1e-6) | (away[:, 1] > size[1] / 2 - 1e-6)).all()


@pytest.mark.parametrize('seed', range(6))
def test_a_hand_is_above_and_below_the_edge_without_intersecting_the_plate(seed: int) -> None:
    parts = hand(45.0, 15.0, np.random.default_rng(seed))
    assert all(isinstance(part.material, Opaque) for part in parts)
    points = np.concatenate([part.mesh.vertices for part in parts])
    over = points[(np.abs(points[:, 1]) < 40) & (points[:, 0] < 44.0)]
    assert (over[:, 2] > 15.0).any() and (over[:, 2] < 0.0).any()
    inside = (over[:, 2] > 0.0) & (over[:, 2] < 15.0)
    assert not inside.any()
