import numpy as np
import pytest

from plate_renderer.geometry.lofting import loft
from plate_renderer.geometry.outlines import Outline
from tests.plate_renderer.measures import faces_agree_with_normals, volume


@pytest.mark.parametrize('outline', [Outline.circle(90), Outline(100, 80, 10)])
def test_a_lofted_cup_has_the_expected_volume(outline: Outline) -> None:
    axis = min(outline.width, outline.depth) / 2
    cup = loft(outline, [(axis, 0), (0, 0), (0, 15), (1.3, 15), (1.3, 2), (axis, 2)])
    expected = outline.polygon().area * 15 - outline.polygon(1.3).area * 13
    assert volume(cup) == pytest.approx(expected, rel=5e-3)
    assert faces_agree_with_normals(cup)
    np.testing.assert_allclose(np.linalg.norm(cup.normals, axis=1), 1)


def test_normals_are_smooth_at_bends_and_split_at_corners() -> None:
    outline = Outline.circle(10)
    bend = loft(outline, [(0, 0), (0.0, 1), (0.2, 2)])
    corner = loft(outline, [(0, 0), (0, 1), (1, 1)])
    at_joint = np.isclose(bend.vertices[:, 2], 1)
    assert len(np.unique(bend.normals[at_joint][:, 2].round(6))) == 1
    at_joint = np.isclose(corner.vertices[:, 2], 1) & (corner.vertices[:, 0] > 4.99)
    assert set(corner.normals[at_joint][:, 2].round(6)) == {0.0, 1.0}


def test_profiles_with_one_point_are_refused() -> None:
    with pytest.raises(ValueError, match='at least 2 points, found 1'):
        loft(Outline.circle(10), [(0, 0)])
