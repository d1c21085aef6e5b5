import itertools

import numpy as np
import pytest
from shapely.geometry import Point

from plate_renderer.geometry.camera import framing
from plate_renderer.objects import growth, markings
from plate_renderer.objects.dishes import PETRI_SIZES, SQUARE_SIZES, Agar, dish
from plate_renderer.objects.materials import Interface
from plate_renderer.objects.plates import Surface
from plate_renderer.scene import lighting
from plate_renderer.scene.benches import BENCHES, make_bench
from plate_renderer.scene.lighting import LIGHTS, make_lighting
from plate_renderer.scene.placement import PlacementError, arrange
from plate_renderer.scene.scenes import Scene, draw_scene, pick
from plate_renderer.scene.spec import parse_spec

SMALL = {'petri_sizes': {60: 1, 90: 1}, 'square_sizes': {100: 1}, 'wells': {6: 1}}
SPEC = parse_spec(
    {
        'name': 'test',
        'seed': 5,
        'plates': SMALL,
        'splits': {
            'train': {'images': 12},
            'val': {'images': 3},
            'stacks': {'images': 3, 'scene': {'arrangements': {'stack': 1}}},
            'rows': {'images': 3, 'scene': {'arrangements': {'row': 1}}},
            'none': {'images': 3, 'scene': {'arrangements': {'none': 1}}},
        },
    }
)


def fingerprint(scene: Scene) -> bytes:
    vertices = [placed.points.sum() for placed in scene.placed]
    light = [part.mesh.vertices.sum() for part in scene.lighting.parts]
    return np.array([*vertices, *light, *scene.camera.origin, scene.seed]).tobytes()


def test_scenes_depend_on_seed_split_and_index_alone() -> None:
    first = fingerprint(draw_scene(SPEC, 'train', 4))
    draw_scene(SPEC, 'train', 5)
    assert fingerprint(draw_scene(SPEC, 'train', 4)) == first


def test_all_images_have_different_scenes() -> None:
    prints = [fingerprint(draw_scene(SPEC, s, k)) for s in ('train', 'val') for k in range(3)]
    assert len(set(prints)) == len(prints)


def grounds_are_disjoint(scene: Scene) -> bool:
    def bottom(placed: object) -> float:
        return placed.points[:, 2].min()

    level = [placed for placed in scene.placed if bottom(placed) < 1.0]
    return all(a.ground.distance(b.ground) > 0 for a, b in itertools.combinations(level, 2))


@pytest.mark.parametrize(('split', 'count'), [('train', 12), ('stacks', 3), ('rows', 3)])
def test_objects_do_not_intersect(split: str, count: int) -> None:
    scenes = [draw_scene(SPEC, split, k) for k in range(count)]
    assert all(grounds_are_disjoint(scene) for scene in scenes)
    standing = [p for scene in scenes for p in scene.placed if p.item.label != 'hand']
    assert all(p.points[:, 2].min() > -1e-6 for p in standing)


def test_stacked_plates_rest_on_each_other() -> None:
    scene = draw_scene(SPEC, 'stacks', 0)
    plates = [placed for placed in scene.placed if placed.item.category]
    raised = [placed for placed in plates if placed.points[:, 2].min() > 1.0]
    assert raised
    for upper in raised:
        bottom = upper.points[:, 2].min()
        below = [p for p in plates if p is not upper and p.ground.intersects(upper.ground)
                 and p.points[:, 2].min() < bottom]  # fmt: skip
        under = max(below, key=lambda placed: placed.points[:, 2].min())
        # The ring on a lid is higher than the plane on which the next dish stands.
        flat_top = np.percentile(under.points[:, 2], 99.9) - 0.36
        assert bottom > flat_top


def test_scenes_without_plates_have_distractors() -> None:
    scene = draw_scene(SPEC, 'none', 0)
    assert scene.placed
    assert all(placed.item.category is None for placed in scene.placed)


def test_plates_that_do_not_fit_raise_an_error() -> None:
    class Wide(np.random.Generator):
        """Returns the same position every time."""

        def uniform(self, low: float = 0.0, high: float = 1.0, size: object = None) -> object:
            return 0.0 if size is None else np.zeros(size)

    item = dish(PETRI_SIZES[60], 'petri_dish', None, lid=False)
    with pytest.raises(PlacementError, match='no room for petri 60x15'):
        arrange([[item], [item]], Wide(np.random.PCG64(0)), aligned=False)


def test_pick_draws_in_proportion_to_the_weights() -> None:
    rng = np.random.default_rng(0)
    drawn = [pick({'a': 3.0, 'b': 1.0, 'c': 0.0}, rng) for _ in range(2000)]
    assert drawn.count('a') / 2000 == pytest.approx(0.75, abs=0.04)
    assert 'c' not in drawn


@pytest.mark.parametrize('kind', BENCHES)
def test_benches_are_just_below_z_0(kind: str) -> None:
    for part in make_bench(kind, np.random.default_rng(2)).parts:
        assert -0.2 < part.mesh.vertices[:, 2].max() < 0
        np.testing.assert_allclose(part.mesh.normals[:, 2], 1)


@pytest.mark.parametrize('kind', LIGHTS)
def test_lights_face_the_bench_and_are_not_visible(kind: str) -> None:
    cube = np.array([[x, y, z] for x in (-60, 60) for y in (-60, 60) for z in (0, 15)], float)
    camera = framing(cube, 70, 20, 0, 0.8, (0, 0), 40, (64, 48))
    for seed in range(4):
        for part in make_lighting([kind], camera, np.random.default_rng(seed)).parts:
            towards = -part.mesh.vertices
            assert (np.einsum('ij,ij->i', towards, part.mesh.normals) > 0).any()
            assert not camera.sees(part.mesh.vertices)


def test_a_room_has_the_given_radiance() -> None:
    room = lighting.room(np.random.default_rng(0), 0.4)
    assert room.shape == (128, 256, 3)
    assert room.mean() == pytest.approx(0.4)
    assert room.min() >= 0


GROWN = {
    'colonies': lambda surface, rng: growth.colonies(surface, rng, 40, growth.CREAM),
    'lawn': lambda surface, rng: growth.lawn(surface, rng, growth.CREAM, 6),
    'streaks': lambda surface, rng: growth.streaks(surface, rng, growth.YELLOW),
    'blood': growth.blood,
    'mold': lambda surface, rng: growth.mold(surface, rng, 3),
    'seedlings': lambda surface, rng: growth.seedlings(surface, rng, 5),
    'membranes': growth.membranes,
    'pieces': growth.pieces,
    'colored': growth.colored,
    'turbidity': lambda surface, rng: growth.turbidity(surface, rng, growth.CREAM, 0.2),
}


@pytest.mark.parametrize('size', [PETRI_SIZES[90], SQUARE_SIZES[120]], ids=['round', 'square'])
@pytest.mark.parametrize('name', GROWN)
def test_growth_is_inside_its_dish_and_does_not_intersect_the_surface(
    name: str, size: object
) -> None:
    surface = dish(size, 'petri_dish', Agar(4.0, (0, 0, 0)), lid=False).surfaces['growth']
    inside = surface.outline.polygon()
    for part in GROWN[name](surface, np.random.default_rng(3)):
        assert not isinstance(part.material, Interface)
        z = part.mesh.vertices[:, 2]
        assert (z > surface.z).all() or (z < surface.z).all()
        if (z < surface.z).all():
            assert all(inside.covers(Point(*p)) for p in part.mesh.vertices[::50, :2])


def test_a_lawn_has_discs_and_clear_zones() -> None:
    surface = dish(PETRI_SIZES[90], 'petri_dish', Agar(4.0, (0, 0, 0)), lid=False).surfaces[
        'growth'
    ]
    lawn, paper, _ = growth.lawn(surface, np.random.default_rng(1), growth.CREAM, 5, opacity=0.7)
    opacity = lawn.material.opacity
    assert paper.mesh.extent[2] == pytest.approx(1.0, abs=0.01)
    assert np.percentile(opacity, 5) < 0.05 < 0.3 < np.percentile(opacity, 80)


def test_writing_is_above_or_below_its_surface() -> None:
    surface = Surface(PETRI_SIZES[90].outline(5.0), 2.0)
    above = markings.writing(surface, np.random.default_rng(4), from_below=False)[0].mesh
    below = markings.writing(surface, np.random.default_rng(4), from_below=True)[0].mesh
    assert (above.vertices[:, 2] > 2.0).all() and (below.vertices[:, 2] < 2.0).all()


def test_strokes_are_at_the_position_of_the_ink() -> None:
    ink = np.zeros((50, 100))
    ink[5:15, 10:60] = 1.0
    figure = markings.strokes(ink, (0.0, 0.0), width=10.0, depth=5.0)
    np.testing.assert_allclose(figure.bounds, (1.0, 3.6, 5.9, 4.5), atol=0.15)
    mirrored = markings.strokes(ink[:, ::-1], (0.0, 0.0), width=10.0, depth=5.0)
    np.testing.assert_allclose(mirrored.bounds, (4.0, 3.6, 8.9, 4.5), atol=0.15)
