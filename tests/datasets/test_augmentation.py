import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes

from mmdet_cleargrasp.datasets.augmentation import CropAroundPlates, ZoomOut


def sample(*boxes):
    """A gray image of 100 x 160 in which every plate is a white box."""
    image = np.full((100, 160, 3), 90, np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = 255
    return dict(
        img=image,
        img_shape=image.shape[:2],
        gt_bboxes=HorizontalBoxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)),
        gt_bboxes_labels=np.arange(len(boxes)),
        gt_ignore_flags=np.zeros(len(boxes), bool),
    )


def filled(results):
    """Whether each box holds a plate and nothing else, but for a pixel of rounding."""
    for x1, y1, x2, y2 in results['gt_bboxes'].tensor.round().int().tolist():
        assert (results['img'][y1 + 1 : y2 - 1, x1 + 1 : x2 - 1] == 255).all()


def test_crops_keep_plates_whole_or_nearly():
    np.random.seed(0)
    step = CropAroundPlates(prob=1, min_visible=0.75)
    sizes, kept = set(), set()
    for _ in range(100):
        results = step(sample((10, 10, 50, 50), (100, 40, 150, 90)))
        sizes.add(results['img'].shape)
        assert results['img_shape'] == results['img'].shape[:2]
        filled(results)
        areas = results['gt_bboxes'].areas.numpy()
        full = np.array([1600, 2500])[results['gt_bboxes_labels']]
        assert (areas >= 0.74 * full).all()
        assert (results['img'] == 255).all(axis=-1).sum() == areas.sum()
        kept.add(tuple(results['gt_bboxes_labels']))
    assert len(sizes) > 50
    assert {(0, 1), (0,), (1,)} <= kept


def test_an_image_that_a_plate_fills_stays():
    step = CropAroundPlates(prob=1, size=(0.3, 0.5))
    assert step(sample((0, 0, 160, 100)))['img'].shape == (100, 160, 3)


def test_crops_of_images_without_a_plate():
    np.random.seed(0)
    results = CropAroundPlates(prob=1, size=(0.3, 0.5))(sample())
    assert results['img'].shape[0] < 100
    assert results['gt_bboxes'].tensor.shape == (0, 4)


def test_zoomed_out_plates_keep_their_pixels():
    np.random.seed(0)
    backgrounds = set()
    for _ in range(20):
        results = ZoomOut(prob=1, ratio=(2, 2))(sample((10, 10, 50, 50)))
        assert results['img'].shape == (200, 320, 3)
        assert results['img_shape'] == (200, 320)
        filled(results)
        backgrounds.add(tuple(results['img'][0, 0]))
    assert len(backgrounds) > 10


@pytest.mark.parametrize(
    'config',
    [
        dict(type='ColorCast'),
        dict(type='UnevenLight'),
        dict(type='CameraBlur', strength=0.02),
        dict(type='SensorNoise'),
        dict(type='JpegArtifacts'),
    ],
    ids=lambda config: config['type'],
)
def test_changes_of_pixels_change_nothing_else(config):
    np.random.seed(0)
    image = np.random.randint(0, 256, (40, 60, 3), np.uint8)
    always: BaseTransform = TRANSFORMS.build(dict(config, type=f'mmdet.{config["type"]}', prob=1))
    never: BaseTransform = TRANSFORMS.build(dict(config, type=f'mmdet.{config["type"]}', prob=0))
    changed = [always(dict(img=image.copy()))['img'] for _ in range(6)]
    assert all(c.shape == image.shape and c.dtype == np.uint8 for c in changed)
    assert any(not np.array_equal(c, image) for c in changed)
    assert np.array_equal(never(dict(img=image.copy()))['img'], image)
