import numpy as np
import pytest

from plate_renderer.objects.glassware import vessel
from plate_renderer.objects.materials import IOR
from tests.plate_renderer.measures import volume_of_medium


def test_a_vessel_is_filled_to_the_given_height() -> None:
    parts = vessel([(30, 0), (30, 90)], 2.0, 'soda_lime_glass', fill=40)
    water = volume_of_medium(parts, IOR['water'])
    assert water == pytest.approx(np.pi * 28**2 * 37, rel=0.01)
