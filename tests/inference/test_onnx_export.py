import numpy as np
import pytest
from mmdet.models.dense_heads import RPNHead
from mmdet.models.roi_heads import DoubleHeadRoIHead
from mmengine.config import Config
from PIL import Image
from torch import nn

from mmdet_cleargrasp.inference import PlateDetector, onnx_export
from mmdet_cleargrasp.inference.inputs import find_inputs, pictures
from mmdet_cleargrasp.utils.errors import ConfigError

from .random_runs import SHORT, random_run

pytest.importorskip('onnxruntime')


@pytest.mark.parametrize('name', SHORT)
def test_exported_file_of_a_small_detector_finds_the_same(toy_plates, tmp_path, name):
    detector = PlateDetector.from_run(random_run(name, tmp_path, **SHORT[name]), device='cpu')
    out = onnx_export.export_onnx(detector, tmp_path / 'plates.onnx')
    checks = onnx_export.check(out, detector, pictures(find_inputs([toy_plates / 'val'])))
    assert sum(found.detections for found in checks.values()) > 5
    assert all(found.within(score=1e-4, box=0.05) for found in checks.values()), checks


@pytest.mark.slow
@pytest.mark.parametrize('name', ['retinanet_cleargrasp_plates', 'frcnn_cleargrasp_plates'])
def test_exported_file_finds_what_mmdetection_finds(tiny_runs, toy_plates, tmp_path, name):
    detector = PlateDetector.from_run(tiny_runs(name), device='cpu')
    out = onnx_export.export_onnx(detector, tmp_path / 'deep' / 'plates.onnx')
    checks = onnx_export.check(out, detector, pictures(find_inputs([toy_plates / 'val'])))
    assert len(checks) == 3
    for found in checks.values():
        assert found.detections > 5
        assert found.within(score=1e-4, box=0.05), found
    exported = onnx_export.OnnxPlateDetector(out)
    assert exported.classes == detector.classes
    # Standing, where the toy plates lie, and larger than the canvas.
    with Image.open(next((toy_plates / 'val').glob('*.jpg'))) as image:
        standing = np.asarray(image.rotate(90, expand=True).resize((213, 300)))
    found = onnx_export.compare(exported, detector, standing)
    assert found.detections > 5 and found.within(score=1e-4, box=0.2), found
    # The check can fail: other pixels, other detections.
    theirs = exported(standing)
    assert not np.array_equal(theirs.confidence, exported(255 - standing).confidence)
    with pytest.raises(ConfigError, match='nothing is overwritten'):
        onnx_export.export_onnx(detector, out)


@pytest.mark.slow
@pytest.mark.parametrize(
    'name',
    [
        'frcnn_alexnet_plates',
        'frcnn_cleargrasp_drn54_plates',
        'frcnn_imagenet_efficientnet_lite2_plates',
        'retinanet_imagenet_efficientnet_lite2_plates',
        'frcnn_torchvision_coco_finetuned_plates',
        'retinanet_torchvision_coco_finetuned_plates',
    ],
)
def test_every_kind_of_config_is_exported(toy_plates, tmp_path, name):
    detector = PlateDetector.from_run(random_run(name, tmp_path), device='cpu')
    out = onnx_export.export_onnx(detector, tmp_path / 'plates.onnx')
    checks = onnx_export.check(out, detector, pictures(find_inputs([toy_plates / 'val'])))
    assert all(found.within(score=1e-4, box=0.05) for found in checks.values()), checks
    assert sum(found.detections for found in checks.values()) > 0


class OtherRPNHead(RPNHead):
    """Predicts in another way."""

    def predict_by_feat(self, *args, **kwargs):
        raise NotImplementedError


@pytest.mark.parametrize('head', ['rpn_head', 'roi_head'])
def test_heads_that_predict_in_another_way_are_refused(tiny_runs, head):
    model = PlateDetector.from_run(tiny_runs('frcnn_cleargrasp_plates'), device='cpu').model
    onnx_export.WholeDetector(model, (96, 96))
    if head == 'rpn_head':
        model.rpn_head.__class__ = OtherRPNHead
    else:
        model.roi_head.__class__ = DoubleHeadRoIHead
    with pytest.raises(ConfigError, match=f'{head} is a .*expected'):
        onnx_export.WholeDetector(model, (96, 96))


@pytest.mark.parametrize(
    ('step', 'expected'),
    [
        ({}, onnx_export.Resizing((60, 40))),
        ({'interpolation': 'area'}, onnx_export.Resizing((60, 40), 'area')),
        ({'backend': 'pillow'}, None),
        ({'keep_ratio': False}, None),
    ],
    ids=str,
)
def test_images_are_resized_as_in_the_test_pipeline(step, expected):
    resize = {'type': 'Resize', 'scale': (40, 60), 'keep_ratio': True, **step}
    model = nn.Module()
    model.cfg = Config({'test_dataloader': {'dataset': {'pipeline': [resize]}}})
    if expected:
        assert onnx_export.resizing_of(model) == expected
    else:
        with pytest.raises(ConfigError, match='needs one Resize'):
            onnx_export.resizing_of(model)


def test_name_has_to_end_in_onnx(tiny_runs, tmp_path):
    detector = PlateDetector.from_run(tiny_runs(), device='cpu')
    with pytest.raises(ConfigError, match='ends in .onnx'):
        onnx_export.export_onnx(detector, tmp_path / 'plates.pt')


@pytest.mark.parametrize(
    ('difference', 'expected'),
    [
        (onnx_export.Difference(10, 0, 0.0, 1e-4, 0.1), True),
        (onnx_export.Difference(10, 0, 0.0, 2e-3, 0.1), False),
        (onnx_export.Difference(10, 0, 0.0, 1e-4, 0.9), False),
        (onnx_export.Difference(10, 1, 0.9, 1e-4, 0.1), False),
        (onnx_export.Difference(100, 2, 0.9, 1e-4, 0.1), True),
        (onnx_export.Difference(0, 0, 0.0, 0.0, 0.0), True),
    ],
)
def test_within_tolerance(difference, expected):
    assert difference.within(score=1e-3, box=0.5) is expected
