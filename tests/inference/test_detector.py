import shutil

import numpy as np
import pytest
import supervision as sv
import torch
from mmdet.apis import DetInferencer
from PIL import Image

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.evaluation.working_threshold import DEFAULT_THRESHOLD, META_KEY
from mmdet_cleargrasp.inference import PlateDetector
from mmdet_cleargrasp.inference.detector import find_run
from mmdet_cleargrasp.models.postprocessing import SAME_PLATE_IOU
from mmdet_cleargrasp.utils.errors import CheckpointError, ConfigError, DataError

CONFIGS = ['retinanet_cleargrasp_plates', 'frcnn_cleargrasp_plates']


@pytest.fixture(scope='module')
def detector(tiny_runs):
    return PlateDetector.from_run(tiny_runs(), device='cpu')


@pytest.fixture(scope='module')
def photo(toy_plates):
    return next((toy_plates / 'val').glob('*.jpg'))


@pytest.mark.parametrize('name', CONFIGS)
def test_same_as_mmdetection_s_inferencer_on_the_same_files(tiny_runs, photo, name):
    config, checkpoint = find_run(tiny_runs(name))
    found = PlateDetector(config, checkpoint, device='cpu', per_class=True)(photo, score_thr=0)
    inferencer = DetInferencer(str(config), str(checkpoint), device='cpu', show_progress=False)
    theirs = inferencer(str(photo), no_save_vis=True)['predictions'][0]
    assert len(found) == len(theirs['scores']) > 0
    np.testing.assert_allclose(found.confidence, theirs['scores'], atol=1e-6)
    np.testing.assert_allclose(found.xyxy, theirs['bboxes'], atol=1e-4)
    assert found.class_id.tolist() == theirs['labels']


@pytest.mark.parametrize('tile', [None, 64])
def test_a_plate_has_one_box_whatever_its_kind(tiny_runs, detector, photo, tile):
    every = PlateDetector.from_run(tiny_runs(), device='cpu', per_class=True)(photo, 0, tile)
    best = detector(photo, 0, tile)
    assert 0 < len(best) < len(every)
    overlaps = np.triu(sv.box_iou_batch(best.xyxy, best.xyxy), k=1)
    assert overlaps.max(initial=0) <= SAME_PLATE_IOU
    assert best.confidence[0] == every.confidence[0]


@pytest.mark.parametrize(('per_class', 'expected'), [(False, [0]), (True, [0, 2])])
def test_what_a_tile_cuts_off_is_no_second_plate_of_another_kind(
    detector, monkeypatch, per_class, expected
):
    # A whole dish in the first tile; its right end, taken for another kind, in the second.
    in_tiles = iter([((10, 10, 90, 90), 0, 0.9), ((0, 10, 10, 90), 2, 0.6)])

    def detect(tile):
        box, label, score = next(in_tiles)
        return sv.Detections(
            xyxy=np.array([box], np.float32),
            class_id=np.array([label]),
            confidence=np.array([score], np.float32),
        )

    monkeypatch.setattr(detector, '_detect', detect)
    monkeypatch.setattr(detector, 'per_class', per_class)
    found = detector(np.zeros((100, 180, 3), np.uint8), tile=100, overlap=0.2)
    assert found.class_id.tolist() == expected


def test_by_default_the_working_threshold_of_the_checkpoint_applies(tiny_runs, photo, tmp_path):
    config, checkpoint = find_run(tiny_runs())
    content = read_checkpoint(checkpoint)
    content['meta'][META_KEY] = {'threshold': 0.7, 'f1': 0.9}
    content['meta']['note'] = 'from our incubator'
    torch.save(content, tmp_path / 'best.pth')
    detector = PlateDetector(config, tmp_path / 'best.pth', device='cpu')
    assert detector.note == 'from our incubator'
    every = detector(photo, score_thr=0)
    assert every.confidence.min() < 0.7 < every.confidence.max()
    assert len(detector(photo)) == (every.confidence >= 0.7).sum()


@pytest.mark.parametrize(
    'change',
    [
        lambda cfg: cfg.model.test_cfg.update(score_thr=0.2),
        lambda cfg: cfg.test_dataloader.dataset.pipeline[1].update(scale=(64, 64)),
    ],
)
def test_the_identity_depends_on_the_config(tiny_runs, detector, change):
    config, checkpoint = find_run(tiny_runs())
    cfg = load_config(config)
    assert PlateDetector(cfg, checkpoint, device='cpu').identity == detector.identity
    change(cfg)
    assert PlateDetector(cfg, checkpoint, device='cpu').identity != detector.identity


def test_a_checkpoint_without_a_working_threshold_has_the_default(detector, photo):
    every = detector(photo, score_thr=0)
    assert len(detector(photo)) == (every.confidence >= DEFAULT_THRESHOLD).sum()


def test_detections_have_names_scores_and_boxes_within_the_image(detector, photo):
    found = detector(photo, score_thr=0.06)
    with Image.open(photo) as image:
        far = (*image.size, *image.size)
    assert len(found) > 0
    assert (found.xyxy >= 0).all() and (found.xyxy <= far).all()
    assert (np.diff(found.confidence) <= 0).all() and (found.confidence >= 0.06).all()
    names = np.array(detector.classes)[found.class_id]
    assert found['class_name'].tolist() == names.tolist()


def test_arrays_are_rgb_and_files_are_read_upright(detector, photo, tmp_path):
    with Image.open(photo) as image:
        pixels = np.asarray(image)
        exif = Image.Exif()
        exif[0x0112] = 8  # stored lying on its side
        image.transpose(Image.Transpose.ROTATE_270).save(tmp_path / 'x.png', exif=exif)
    ours, file, turned = (detector(x, 0) for x in (pixels, photo, tmp_path / 'x.png'))
    np.testing.assert_array_equal(ours.xyxy, file.xyxy)
    np.testing.assert_array_equal(ours.xyxy, turned.xyxy)
    swapped = detector(np.ascontiguousarray(pixels[..., ::-1]), 0)
    assert not np.array_equal(swapped.confidence, ours.confidence)


def test_tiles_look_at_every_part_at_full_size(detector, photo):
    with Image.open(photo) as image:
        width, height = image.size
        large = np.tile(np.asarray(image), (3, 3, 1))
    found = detector(large, score_thr=0, tile=max(width, height), overlap=0.2)
    assert found.xyxy[:, 2].max() > 2 * width and found.xyxy[:, 3].max() > 2 * height
    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
    assert (sides <= max(width, height) + 1e-3).all()
    assert 'class_name' in found.data


def test_nothing_found_is_empty_with_all_its_fields(detector, photo):
    for tile in (None, 64):
        found = detector(photo, score_thr=1, tile=tile)
        assert len(found) == 0
        assert len(found.confidence) == len(found.class_id) == len(found['class_name']) == 0


@pytest.mark.parametrize(
    ('image', 'options', 'error', 'message'),
    [
        (np.zeros((8, 8), np.uint8), {}, DataError, r'uint8 \(8, 8\), expected uint8'),
        (np.zeros((8, 8, 4), np.uint8), {}, DataError, 'expected uint8'),
        (np.zeros((8, 8, 3)), {}, DataError, 'float64'),
        (np.zeros((0, 8, 3), np.uint8), {}, DataError, 'expected uint8'),
        (np.zeros((2, 900, 3), np.uint8), {}, DataError, 'too long for its width'),
        ('https://example.org/x.jpg', {}, DataError, 'nothing is downloaded'),
        (np.zeros((8, 8, 3), np.uint8), {'tile': 4}, ConfigError, 'tile=4'),
        (np.zeros((8, 8, 3), np.uint8), {'tile': 64, 'overlap': 1.0}, ConfigError, 'overlap=1.0'),
    ],
)
def test_refused_images(detector, image, options, error, message):
    with pytest.raises(error, match=message):
        detector(image, **options)


def spoil(content, how):
    state = content['state_dict']
    if how == 'nan':
        state['bbox_head.retina_reg.bias'][0] = float('nan')
    elif how == 'other shape':
        state['bbox_head.retina_cls.bias'] = torch.zeros(7)
    elif how == 'other classes':
        content['meta']['dataset_meta']['classes'] = ('a', 'b', 'c')
    elif how == 'broken classes':
        content['meta']['dataset_meta']['classes'] = 3
    elif how == 'no state_dict':
        content = {'model': state}
    return content


@pytest.mark.parametrize(
    ('how', 'message'),
    [
        ('nan', '1 unusable .first: bbox_head.retina_reg.bias, not finite'),
        ('other shape', 'does not fit the model'),
        ('other classes', 'was trained for the classes'),
        ('broken classes', 'meta.dataset_meta.classes is 3, expected a list of names'),
        ('no state_dict', 'has no state_dict'),
    ],
)
def test_refused_checkpoints(tiny_runs, tmp_path, how, message):
    config, checkpoint = find_run(tiny_runs())
    path = tmp_path / 'spoilt.pth'
    torch.save(spoil(read_checkpoint(checkpoint), how), path)
    with pytest.raises(CheckpointError, match=message):
        PlateDetector(config, path, device='cpu')


def test_classes_of_the_config_serve_a_checkpoint_without_names(tiny_runs, tmp_path):
    config, checkpoint = find_run(tiny_runs())
    content = read_checkpoint(checkpoint)
    classes = content.pop('meta')['dataset_meta']['classes']
    torch.save(content, tmp_path / 'nameless.pth')
    detector = PlateDetector(config, tmp_path / 'nameless.pth', device='cpu')
    assert detector.classes == detector.model.dataset_meta['classes'] == tuple(classes)
    cfg = load_config(config)
    cfg.test_dataloader.dataset.metainfo = dict(classes=('a', 'b'))
    with pytest.raises(CheckpointError, match=r'names the 3 classes of the model \(found 2\)'):
        PlateDetector(cfg, tmp_path / 'nameless.pth', device='cpu')


@pytest.mark.parametrize('checkpoint', ['https://example.org/x.pth', 'absent.pth'])
def test_checkpoints_are_local(tiny_runs, checkpoint):
    with pytest.raises(CheckpointError, match='no checkpoint at'):
        PlateDetector(find_run(tiny_runs())[0], checkpoint)


def test_run_gives_its_best_checkpoint_else_its_last(tiny_runs, tmp_path):
    work_dir = tmp_path / 'moved'
    shutil.copytree(tiny_runs(), work_dir)
    assert find_run(work_dir)[1] == work_dir / 'epoch_1.pth'
    (work_dir / 'best_coco_bbox_mAP_epoch_1.pth').write_bytes(b'')
    assert find_run(work_dir)[1] == work_dir / 'best_coco_bbox_mAP_epoch_1.pth'


@pytest.mark.parametrize(
    ('files', 'error', 'message'),
    [
        ([], ConfigError, 'has none'),
        (['a.py', 'b.py'], ConfigError, 'has a.py, b.py'),
        (['a.py'], CheckpointError, 'has no checkpoint yet'),
    ],
)
def test_refused_work_dirs(tmp_path, files, error, message):
    for name in files:
        (tmp_path / name).write_text('')
    with pytest.raises(error, match=message):
        find_run(tmp_path)
