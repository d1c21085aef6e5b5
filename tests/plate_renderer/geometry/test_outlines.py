import pytest

from plate_renderer.geometry.outlines import Outline


def test_invalid_corner_radii_are_refused() -> None:
    with pytest.raises(ValueError, match='corner radius of 7 mm does not fit'):
        Outline(10, 10, 7)
