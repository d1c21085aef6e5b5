import numpy as np
import pytest

from plate_renderer.geometry.camera import Camera
from plate_renderer.scene.walls import make_wall


@pytest.mark.parametrize('seed', range(5))
def test_a_wall_is_behind_all_objects_and_faces_the_camera(seed: int) -> None:
    camera = Camera((0, -500, 200), (0, 0, 0), (0, 0, 1), 36.0, 64, 48)
    thing = np.array([[0.0, 80, 0], [10, 90, 30]])
    wall = make_wall(camera, [thing], np.random.default_rng(seed))
    normal = wall.mesh.normals[0]
    plane = wall.mesh.vertices[0] @ normal
    assert normal[1] < -0.5 and abs(normal[2]) < 1e-9
    assert (thing @ normal > plane).all()
    assert np.asarray(camera.origin) @ normal > plane
    assert wall.mesh.vertices[:, 2].max() > 1000
