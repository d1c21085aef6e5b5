import numpy as np
import pytest

from plate_renderer.objects.distractors import OPAQUE, TRANSPARENT
from plate_renderer.objects.materials import Interface, Part


def bounds(parts: tuple[Part, ...]) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate([part.mesh.vertices for part in parts])
    return points.min(axis=0), points.max(axis=0)


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('name', [*TRANSPARENT, *OPAQUE])
def test_distractors_stand_on_the_bench_within_their_footprint(name: str, seed: int) -> None:
    item = {**TRANSPARENT, **OPAQUE}[name](np.random.default_rng(seed))
    low, high = bounds(item.parts)
    assert -0.01 <= low[2] < 1.5
    x0, y0, x1, y1 = item.footprint.buffer(1.0).bounds
    assert (low[:2] >= [x0, y0]).all() and (high[:2] <= [x1, y1]).all()
    assert item.category is None and not item.loose_lid
    clear = any(isinstance(part.material, Interface) for part in item.parts)
    assert clear == item.transparent == (name in TRANSPARENT)


@pytest.mark.parametrize('name', [*TRANSPARENT, *OPAQUE])
def test_normals_agree_with_the_faces(name: str) -> None:
    item = {**TRANSPARENT, **OPAQUE}[name](np.random.default_rng(5))
    for part in item.parts:
        a, b, c = (part.mesh.vertices[part.mesh.faces[:, k]] for k in range(3))
        flat = np.cross(b - a, c - a)
        shaded = part.mesh.normals[part.mesh.faces].mean(axis=1)
        assert (np.einsum('ij,ij->i', flat, shaded) > -1e-9).mean() > 0.99
        np.testing.assert_allclose(np.linalg.norm(part.mesh.normals, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize('name', ['monitor', 'instrument'])
def test_objects_with_a_front_face_the_camera(name: str) -> None:
    item = OPAQUE[name](np.random.default_rng(0))
    assert item.faces_camera
    low, high = bounds(item.parts)
    assert high[2] - low[2] > 40
