"""Detectors with torchvision's weights give the same detections as torchvision's own."""

import pytest
import torch
from mmdet.datasets import CocoDataset
from mmdet.structures import DetDataSample
from torchvision.models.detection.image_list import ImageList

from mmdet_cleargrasp.checkpoints import DetectorCheckpoint, fit_detector, open_detector
from mmdet_cleargrasp.models.torchvision_anchors import TorchvisionAnchorGenerator
from mmdet_cleargrasp.utils.errors import CheckpointError
from tests.checkpoints.coco_detectors import (
    ANCHORS,
    CATEGORIES,
    NECK,
    TORCHVISION,
    build,
)
from tests.published_files import torchvision_detector

COCO = CocoDataset.METAINFO['classes']
# 352 pixels at stride 64 give 6 rows, which torchvision spaces 352 // 6 = 58 pixels apart.
SIZE = (352, 480)


@pytest.fixture(scope='module', params=['frcnn', 'retinanet'])
def pair(request, module_folder):
    """torchvision's detector, with scores spread out, and MMDetection's with the same weights."""
    expected = torchvision_detector(request.param)
    before = {name: tensor.clone() for name, tensor in expected.state_dict().items()}
    absent = torch.tensor([c == 'N/A' or c == '__background__' for c in CATEGORIES])
    with torch.no_grad():
        if request.param == 'frcnn':
            expected.rpn.head.cls_logits.weight.mul_(30)
            expected.rpn.head.bbox_pred.weight.mul_(10)
            expected.roi_heads.box_predictor.cls_score.weight.mul_(6)
            expected.roi_heads.box_predictor.bbox_pred.weight.mul_(10)
            # MMDetection has outputs for COCO's 80 classes only, not for the unused ones among 91.
            expected.roi_heads.box_predictor.cls_score.bias[1:][absent[1:]] = -1e4
        else:
            head = expected.head.classification_head.cls_logits
            head.weight.mul_(300)
            head.bias.view(9, 91)[:, absent] = -1e4
            expected.head.regression_head.bbox_reg.weight.mul_(10)
    path = module_folder / 'coco.pth'
    torch.save(expected.state_dict(), path)
    found = build(request.param, settings=TORCHVISION[request.param])
    DetectorCheckpoint(path, COCO)(found)
    yield request.param, expected, found.eval()
    expected.load_state_dict(before)  # the detector is shared with other tests


def torchvision_detections(name, detector, images, size):
    """Return boxes, scores and labels that torchvision computes from a padded batch."""
    features = detector.backbone(images)
    batch = ImageList(images, [size])
    if name == 'frcnn':
        proposals, _ = detector.rpn(batch, features)
        found, _ = detector.roi_heads(features, proposals, [size])
        return found[0]
    levels = list(features.values())
    outputs = detector.head(levels)
    anchors = detector.anchor_generator(batch, levels)
    counts = [level.shape[2] * level.shape[3] * 9 for level in levels]
    split = {key: list(value.split(counts, dim=1)) for key, value in outputs.items()}
    anchors = [list(a.split(counts)) for a in anchors]
    return detector.postprocess_detections(split, anchors, [size])[0]


@torch.no_grad()
def test_detections_equal_torchvision_s(pair):
    name, theirs, ours = pair
    torch.manual_seed(1)
    size = (SIZE[0] - 9, SIZE[1] - 20)  # the remaining rows and columns are padding
    images = torch.zeros(1, 3, *SIZE)
    images[..., : size[0], : size[1]] = torch.randn(1, 3, *size)
    sample = DetDataSample(
        metainfo=dict(img_shape=size, ori_shape=size, pad_shape=SIZE, batch_input_shape=SIZE,
                      scale_factor=(1.0, 1.0))
    )  # fmt: skip
    (ours.bbox_head if name == 'retinanet' else ours.roi_head).test_cfg.max_per_img = 200
    (theirs if name == 'retinanet' else theirs.roi_heads).detections_per_img = 200
    expected = torchvision_detections(name, theirs, images, size)
    found = ours.predict(images, [sample])[0].pred_instances
    assert len(found) == len(expected['boxes']) == 200
    labels = torch.tensor([CATEGORIES.index(COCO[k]) for k in found.labels])
    # Scores that are equal up to rounding may be in another order.
    distances = (found.bboxes[:, None] - expected['boxes']).abs().amax(dim=-1)
    distances[labels[:, None] != expected['labels']] = torch.inf
    nearest = distances.argmin(dim=0)
    assert len(nearest.unique()) == 200
    torch.testing.assert_close(found.bboxes[nearest], expected['boxes'], rtol=1e-4, atol=5e-3)
    torch.testing.assert_close(found.scores[nearest], expected['scores'], rtol=1e-4, atol=1e-6)


def test_anchors_equal_torchvision_s(pair):
    name, theirs, ours = pair
    levels = list(theirs.backbone(torch.zeros(1, 3, *SIZE)).values())
    generator = (theirs.rpn if name == 'frcnn' else theirs).anchor_generator
    expected = generator(ImageList(torch.zeros(1, 3, *SIZE), [SIZE]), levels)[0]
    generator = (ours.rpn_head if name == 'frcnn' else ours.bbox_head).prior_generator
    found = generator.grid_priors([level.shape[-2:] for level in levels], device='cpu')
    assert torch.equal(torch.cat(found), expected)


@pytest.mark.parametrize(
    ('name', 'settings', 'message'),
    [
        ('frcnn', {}, r"roi_layer=dict\(aligned=False, sampling_ratio=2\) and .*'Torchvision"),
        ('frcnn', dict(rpn_head=ANCHORS), r'Set model.roi_head.*sampling_ratio=2\), as'),
        ('retinanet', NECK, 'Set model.bbox_head.anchor_generator'),
        ('retinanet', dict(bbox_head=ANCHORS), r'Set model.neck=dict\('),
    ],
)
def test_settings_that_the_weights_were_not_trained_with_are_refused(
    tmp_path, name, settings, message
):
    torch.save(torchvision_detector(name).state_dict(), tmp_path / 'coco.pth')
    model = build(name, device='meta', settings=settings)
    with pytest.raises(CheckpointError, match=message):
        fit_detector(open_detector(tmp_path / 'coco.pth'), model, COCO)


def test_anchors_of_p7_are_spaced_as_torchvision_does():
    """Not by the stride, as in MMDetection; the two differ by up to 85 pixels."""
    generator = TorchvisionAnchorGenerator(strides=[8, 128], ratios=[1.0], scales=[4])
    rows = generator.grid_priors([(100, 100), (7, 7)], device='cpu')[1][::7, 1]
    assert (rows[-1] - rows[0]).item() == 6 * 114
