import subprocess
import sys

import numpy as np
import pytest
from shapely.geometry import box

from plate_renderer.geometry.camera import framing
from plate_renderer.geometry.extrusion import extrude
from plate_renderer.geometry.shapes import sheet
from plate_renderer.objects.dishes import PETRI_SIZES, dish
from plate_renderer.objects.materials import Coating, Opaque, Part, interface
from plate_renderer.objects.multiwell import LAYOUTS, multiwell_plate
from plate_renderer.output import pathtracer
from plate_renderer.scene.lighting import Lighting
from plate_renderer.scene.placement import put

from ..renderer import skip_without_renderer

skip_without_renderer()

WHITE = Lighting((), np.ones((16, 32, 3)), 'white room')


def stage(parts: list[Part], albedo: float, size: int = 24) -> pathtracer.Tracer:
    half = 30.0
    bench = [Part(sheet(box(-400, -400, 400, 400), -0.1), Opaque((albedo,) * 3))]
    corners = np.array([[x, y, 0.0] for x in (-half, half) for y in (-half, half)])
    camera = framing(corners, 85, 90, 0, 0.9, (0, 0), 40, (size, size))
    return pathtracer.Tracer([parts], bench, WHITE, camera)


@pytest.mark.parametrize(
    'parts',
    [
        list(dish(PETRI_SIZES[60], 'petri_dish', None, True, (1, 1, 1)).parts),
        list(multiwell_plate(LAYOUTS[6], lid=True, plastic=(1, 1, 1)).parts),
    ],
    ids=['petri', 'multiwell'],
)
def test_furnace_clear_plates_are_invisible_in_a_white_room(parts: list[Part]) -> None:
    # Furnace test: without absorption, radiance is the same everywhere.
    light = stage(parts, albedo=1.0).radiance(24, 200, seed=1)
    assert light.mean() == pytest.approx(1.0, abs=0.02)


def test_glass_reflects_as_the_fresnel_equations_say() -> None:
    # A pane over black: each face reflects r = ((n-1)/(n+1))², both together 2r/(1+r).
    pane = extrude([5, 9], [{'g': box(-90, -90, 90, 90)}], ['g'])['g', 'air']
    light = stage([Part(pane, interface('soda_lime_glass'))], albedo=0.0).radiance(400, 20, seed=1)
    once = (0.52 / 2.52) ** 2
    assert light.mean() == pytest.approx(2 * once / (1 + once), rel=0.06)


def test_textures_are_not_flipped() -> None:
    image = np.zeros((64, 64, 3))
    image[:32, :32] = 1.0
    card = Part(sheet(box(-30, -30, 30, 30), 0.5), Coating(image, 1.0))
    tracer = stage([card], albedo=0.0)
    light = tracer.radiance(16, 4, seed=1)[..., 0]
    bright = np.argwhere(light > 0.5).mean(axis=0)
    # The upper left quarter of the texture is at negative x and positive y.
    row, column = tracer._camera.project(np.array([[-15, 15, 0.5]]))[0][::-1]
    np.testing.assert_allclose(bright, [row, column], atol=1.5)


def test_masks_agree_with_projected_meshes() -> None:
    item = dish(PETRI_SIZES[35], 'petri_dish', None, lid=False)
    placed = put(item, 4.0, -6.0, 0.0, 0.3)
    camera = framing(placed.points, 50, 20, 10, 0.7, (0.05, 0.02), 35, (96, 72))
    tracer = pathtracer.Tracer([placed.item.parts], [], WHITE, camera)
    mask = tracer.first_surface().owner == 0
    pixels = camera.project(placed.points)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    extent = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(extent, [*pixels.min(axis=0), *pixels.max(axis=0)], atol=1.0)
    np.testing.assert_array_equal(tracer.whole_mask(0), mask)


def test_features_show_objects_under_panes() -> None:
    red = Part(sheet(box(-30, -30, 30, 30), 1.0), Coating((1.0, 0.0, 0.0), 1.0))
    pane = extrude([5, 6], [{'g': box(-50, -50, 50, 50)}], ['g'])['g', 'air']
    hidden, shown = (
        stage([red, Part(pane, interface('polystyrene'), pane=lifted)], 0.2).features(1, 0)[0]
        for lifted in (False, True)
    )
    assert shown[12, 12, 0] > hidden[12, 12, 0] + 0.2


def test_missing_mitsuba_is_reported_with_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'mitsuba', None)
    with pytest.raises(pathtracer.MissingRendererError, match=r'pip install .*\[render\]'):
        pathtracer.load_mitsuba()


def test_a_missing_system_library_is_reported_with_the_apt_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(name: str) -> None:  # as in Dr.Jit 1.5
        error = NameError("name '_drjit_ext' is not defined")
        error.__context__ = ImportError('libatomic.so.1: cannot open shared object file')
        raise error

    monkeypatch.setattr(pathtracer.importlib, 'import_module', load)
    with pytest.raises(pathtracer.MissingRendererError, match='apt-get install libatomic1'):
        pathtracer.load_mitsuba()


def test_without_the_denoiser_radiance_is_returned_unchanged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, 'pyoidn', None)
    image = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    assert pathtracer.denoised(image, image, image) is image


def test_variants_that_abort_their_process_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        tried.append(command[-1])
        return subprocess.CompletedProcess(command, -6 if len(tried) < 3 else 0)

    monkeypatch.setattr(pathtracer.subprocess, 'run', run)
    assert pathtracer.fastest_variant() == 'scalar_rgb'
    assert tried == ['cuda_ad_rgb', 'llvm_ad_rgb', 'scalar_rgb']
