import numpy as np
import pytest
from pycocotools import mask as coco_mask

from plate_renderer.geometry.camera import Camera
from plate_renderer.output.ground_truth import (
    BACKGROUND,
    CONTACT_EDGE,
    DEPTH_BOUNDARY,
    Instance,
    amodal_box,
    bounding_box,
    camera_normals,
    depth_map,
    outlines,
    run_length,
)

CAMERA = Camera((0, 0, 500), (0, 0, 0), (0, 1, 0), 36.0, 60, 40)
UP = np.tile([0.0, 0.0, 1.0], (40, 60, 1))


def test_bounding_box_of_a_mask() -> None:
    mask = np.zeros((40, 60), bool)
    mask[5:9, 10:30] = mask[20, 55] = True
    assert bounding_box(mask) == (10.0, 5.0, 46.0, 16.0)
    with pytest.raises(ValueError, match='empty mask'):
        bounding_box(np.zeros((4, 4), bool))


def test_run_length_encoding_decodes_to_the_mask() -> None:
    mask = np.random.default_rng(0).random((40, 60)) > 0.7
    encoded = run_length(mask)
    assert isinstance(encoded['counts'], str)
    np.testing.assert_array_equal(coco_mask.decode(encoded).astype(bool), mask)


def test_occluded_fraction() -> None:
    whole = np.zeros((10, 10), bool)
    whole[:, :8] = True
    seen = whole.copy()
    seen[:, :2] = False
    assert Instance('petri_dish', seen, whole, (0, 0, 8, 10), '').occluded_fraction == 0.25


def test_amodal_boxes_may_exceed_the_frame() -> None:
    points = np.array([[-400.0, 0, 0], [0, 0, 0]])
    x, y, width, height = amodal_box(points, CAMERA)
    assert x == pytest.approx(30 - 400 * 60 / 500)
    assert (width, height) == (pytest.approx(48), pytest.approx(0))


def test_depth_is_along_the_viewing_direction() -> None:
    flat = 500 * np.linalg.norm(CAMERA.rays(), axis=-1)
    np.testing.assert_allclose(depth_map(flat, CAMERA), 500, rtol=1e-6)


def test_normals_are_of_unit_length_and_face_the_camera() -> None:
    rng = np.random.default_rng(1)
    shading, faces = (v / np.linalg.norm(v, axis=-1, keepdims=True)
                      for v in rng.normal(size=(2, 40, 60, 3)))  # fmt: skip
    normals = camera_normals(shading, faces, CAMERA)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-5)
    assert (np.einsum('hwc,hwc->hw', normals, CAMERA.rays()) <= 0).all()
    nothing = camera_normals(np.zeros((40, 60, 3)), np.zeros((40, 60, 3)), CAMERA)
    assert not nothing.any()


def test_normals_are_in_camera_axes() -> None:
    np.testing.assert_allclose(camera_normals(UP, UP, CAMERA)[20, 30], [0, 0, 1], atol=1e-6)


def step(height: float) -> tuple[np.ndarray, np.ndarray]:
    """Owner and depth of a slab with a height in the middle of the image."""
    owner = np.full((40, 60), -1)
    owner[10:30, 15:45] = 0
    return owner, np.where(owner == 0, 500 - height, 500.0)


def test_a_depth_jump_is_a_boundary_on_both_sides() -> None:
    owner, depth = step(20.0)
    found = outlines(owner, owner == 0, depth, UP, CAMERA)
    assert (found[20, [14, 15, 44, 45]] == DEPTH_BOUNDARY).all()
    assert (found[20, 17:43] == BACKGROUND).all()
    assert CONTACT_EDGE not in found


def test_touching_objects_have_a_contact_edge() -> None:
    owner, depth = step(0.2)
    found = outlines(owner, owner == 0, depth, UP, CAMERA)
    assert (found[20, [14, 15]] == CONTACT_EDGE).all()
    assert DEPTH_BOUNDARY not in found


def test_opaque_objects_have_no_outlines() -> None:
    owner, depth = step(20.0)
    assert not outlines(owner, np.zeros_like(owner, bool), depth, UP, CAMERA).any()


def test_a_slanted_surface_has_no_boundary() -> None:
    tilt = np.radians(55)
    normal = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    # Depth of the plane through the point 500 mm in front of the lens.
    depth = (normal @ [0, 0, -500.0]) / (CAMERA.rays() @ normal)
    assert np.abs(np.diff(depth, axis=1)).max() > 10
    owner = np.zeros((40, 60), int)
    normals = np.tile(normal, (40, 60, 1))
    assert not outlines(owner, owner == 0, depth, normals, CAMERA).any()
