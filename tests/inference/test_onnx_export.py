import numpy as np
import pytest
from PIL import Image

from mmdet_cleargrasp.inference import PlateDetector, onnx_export
from mmdet_cleargrasp.inference.inputs import find_inputs, pictures
from mmdet_cleargrasp.utils.errors import ConfigError

pytest.importorskip('onnxruntime')


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
def test_alike(difference, expected):
    assert difference.within(score=1e-3, box=0.5) is expected
