import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes

from mmdet_cleargrasp.datasets.augmentation import RandomView


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


def visible_white(results):
    return (results['img'] == 255).all(axis=-1).sum()


def test_boxes_follow_their_plates():
    np.random.seed(0)
    step = RandomView((128, 96), zoom=(0.5, 2.5), centered=0.5)
    for _ in range(100):
        results = step(sample((10, 10, 50, 50), (100, 40, 150, 90)))
        assert results['img'].shape == (96, 128, 3)
        assert results['img_shape'] == (96, 128)
        for x1, y1, x2, y2 in results['gt_bboxes'].tensor.tolist():
            inside = results['img'][round(y1) + 2 : round(y2) - 2, round(x1) + 2 : round(x2) - 2]
            assert (inside > 240).all()


@pytest.mark.parametrize(
    'box, expected',
    [
        ((0, 0, 50, 100), [False]),  # whole
        ((70, 0, 170, 100), [True]),  # cut to 30 %: ignored
        ((75, 0, 300, 100), []),  # cut to less than a tenth: dropped
    ],
)
def test_plates_that_are_cut_off_are_ignored_or_dropped(box, expected):
    step = RandomView((100, 100), zoom=(1, 1), centered=0, visible=0.6, gone=0.15)
    results = dict(
        img=np.zeros((100, 100, 3), np.uint8),
        gt_bboxes=HorizontalBoxes(torch.tensor([box], dtype=torch.float32)),
        gt_bboxes_labels=np.zeros(1, int),
        gt_ignore_flags=np.zeros(1, bool),
    )
    results = step(results)
    assert results['gt_ignore_flags'].tolist() == expected
    assert len(results['gt_bboxes']) == len(results['gt_bboxes_labels']) == len(expected)


def test_centered_views_show_plates_of_every_size():
    np.random.seed(0)
    step = RandomView((64, 64), centered=1, fill=(0.2, 1.0), max_upscale=9)
    sides = []
    for _ in range(100):
        boxes = step(sample((10, 10, 50, 50)))['gt_bboxes'].tensor
        assert len(boxes) == 1
        sides.append(float(boxes[0, 2] - boxes[0, 0]))
    assert min(sides) < 16 and max(sides) > 50


def test_views_without_a_plate_and_their_backgrounds():
    np.random.seed(0)
    views = [RandomView((40, 40), zoom=(0.5, 0.5))(sample()) for _ in range(20)]
    assert all(view['gt_bboxes'].tensor.shape == (0, 4) for view in views)
    assert len({tuple(view['img'][0, 0]) for view in views}) > 10


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
