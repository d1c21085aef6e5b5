import numpy as np
import pytest

from plate_renderer.objects.pictures import PICTURES, any_color, clock_face


@pytest.mark.parametrize('name', [*PICTURES, 'clock_face'])
def test_pictures_are_in_range_and_depend_on_the_seed_alone(name: str) -> None:
    draw = {**PICTURES, 'clock_face': clock_face}[name]
    first, same, other = (draw(np.random.default_rng(seed), 64) for seed in (1, 1, 2))
    assert first.shape == (64, 64, 3)
    assert first.min() >= 0 and first.max() <= 1
    assert (first == same).all() and (first != other).any()


def test_random_colors_are_in_range_and_both_gray_and_colored() -> None:
    colors = np.array([any_color(np.random.default_rng(seed)) for seed in range(200)])
    assert colors.min() >= 0 and colors.max() <= 1
    spread = np.ptp(colors, axis=1)
    assert (spread < 0.1).mean() > 0.2 and (spread > 0.3).mean() > 0.2
