"""Skipping of tests that need the renderer."""

import pytest

from plate_renderer.output.pathtracer import MissingRendererError, load_mitsuba


def skip_without_renderer() -> None:
    """Skip a test or a module if Mitsuba or a library that it needs is missing."""
    try:
        load_mitsuba()
    except MissingRendererError as error:
        pytest.skip(str(error), allow_module_level=True)
