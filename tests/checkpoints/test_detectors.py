"""Detectors of MMDetection, torchvision and this project load into models with other classes."""

import pytest
import torch
from mmdet.datasets import CocoDataset
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.checkpoints import (
    DetectorCheckpoint,
    fit_detector,
    load_backbone,
    open_backbone,
    open_detector,
)
from mmdet_cleargrasp.models.backbones import ClearGraspResNet
from mmdet_cleargrasp.utils.errors import CheckpointError
from tests.checkpoints.coco_detectors import CATEGORIES, TORCHVISION, build
from tests.published_files import mmdetection_detector, plate_detector, torchvision_detector

COCO = CocoDataset.METAINFO['classes']
FILES = {'mmdetection': mmdetection_detector,
         'torchvision': lambda name: torchvision_detector(name).state_dict()}  # fmt: skip


@pytest.fixture(scope='module')
def files(module_folder):
    def make(publisher, name):
        path = module_folder / f'{publisher}_{name}.pth'
        if not path.exists():
            torch.save(FILES[publisher](name), path)
        return path

    return make


@pytest.fixture(scope='module', params=['frcnn', 'retinanet'])
def pair(request, files):
    """The name of a detector, torchvision's, and MMDetection's with the same weights."""
    found = build(request.param, settings=TORCHVISION[request.param])
    DetectorCheckpoint(files('torchvision', request.param), COCO)(found)
    return request.param, torchvision_detector(request.param), found.eval()


def assert_close(found, expected):
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@torch.no_grad()
def test_features_and_heads_equal_torchvision_s(pair):
    name, expected, found = pair
    images = torch.rand(1, 3, 64, 96)
    theirs = list(expected.backbone(images).values())
    ours = found.extract_feat(images)
    for level, reference in zip(ours, theirs, strict=True):
        assert_close(level, reference)
    if name == 'frcnn':
        logits, deltas = expected.rpn.head(theirs)
        for ours_level, reference in zip(found.rpn_head(ours), (logits, deltas), strict=True):
            for level, other in zip(ours_level, reference, strict=True):
                assert_close(level, other)
        return
    scores, boxes = found.bbox_head(ours)
    outputs = expected.head(theirs)
    rows = [CATEGORIES.index(label) for label in COCO]
    flat = [level.permute(0, 2, 3, 1).reshape(1, -1, 80) for level in scores]
    assert_close(torch.cat(flat, 1), outputs['cls_logits'][..., rows])
    flat = [level.permute(0, 2, 3, 1).reshape(1, -1, 4) for level in boxes]
    assert_close(torch.cat(flat, 1), outputs['bbox_regression'])


@torch.no_grad()
def test_class_scores_and_boxes_of_regions_equal_torchvision_s(pair):
    name, expected, found = pair
    if name == 'retinanet':
        pytest.skip('RetinaNet has no regions')
    regions = torch.rand(5, 256, 7, 7)
    scores, boxes = expected.roi_heads.box_predictor(expected.roi_heads.box_head(regions))
    our_scores, our_boxes = found.roi_head.bbox_head(regions)
    rows = [CATEGORIES.index(label) for label in COCO]
    assert_close(our_scores, scores[:, [*rows, 0]])
    assert_close(our_boxes.unflatten(1, (80, 4)), boxes.unflatten(1, (91, 4))[:, rows])


@pytest.mark.parametrize('name', ['frcnn', 'retinanet'])
def test_mmdetection_s_file_loads_with_classes_matched_by_name(files, name):
    path = files('mmdetection', name)
    content = mmdetection_detector(name)['state_dict']
    classes = ('person', 'cup', 'bottle')
    model = build(name, len(classes))
    DetectorCheckpoint(path, classes)(model)
    state = model.state_dict()
    rows = [COCO.index(label) for label in classes]
    if name == 'frcnn':
        layer = 'roi_head.bbox_head.fc_cls.bias'
        assert torch.equal(state[layer], content[layer][[*rows, 80]])
        layer = 'roi_head.bbox_head.fc_reg.weight'
        assert torch.equal(state[layer].view(3, 4, -1), content[layer].view(80, 4, -1)[rows])
    else:
        layer = 'bbox_head.retina_cls.weight'
        assert torch.equal(
            state[layer].view(9, 3, 256, 3, 3), content[layer].view(9, 80, 256, 3, 3)[:, rows]
        )
    same = [n for n in content if n in state and 'fc_' not in n and 'retina_cls' not in n]
    assert all(torch.equal(state[n], content[n]) for n in same)
    assert len(same) > 300


@pytest.mark.parametrize('publisher', FILES)
@pytest.mark.parametrize(
    ('classes', 'changes', 'skipped'),
    [
        (('petri_dish', 'cup'), {}, {'fc_cls': 'other classes', 'fc_reg': 'other classes'}),
        (COCO, {}, {}),
        (
            COCO,
            {'anchors': [0.5, 1.0]},
            {'rpn_cls': 'other anchors', 'rpn_reg': 'other anchors'},
        ),
        (
            COCO,
            {'agnostic': True},
            {'fc_reg': 'boxes regressed per class in one of the two, class-agnostic in the other'},
        ),
    ],
    ids=['own classes', 'coco', 'own anchors', 'class-agnostic boxes'],
)
def test_skipped_layers_have_a_reason(files, publisher, classes, changes, skipped):
    settings = TORCHVISION['frcnn'] if publisher == 'torchvision' else None
    model = build('frcnn', len(classes), 'meta', settings=settings, **changes)
    fit = fit_detector(open_detector(files(publisher, 'frcnn')), model, classes)
    assert {layer.split('.')[-1]: why for layer, why in fit.skipped.items()} == skipped
    missing = {n.rsplit('.', 1)[0] for n in model.state_dict() if n not in fit.tensors}
    counters = {n for n in missing if 'bn' in n or 'downsample' in n}
    assert missing - counters == set(fit.skipped)


@pytest.mark.parametrize('classes', [COCO, ('petri_dish', 'cup')], ids=['coco', 'own classes'])
def test_class_agnostic_boxes_are_loaded_for_any_classes(tmp_path, classes):
    state = build('frcnn', agnostic=True).state_dict()
    torch.save({'state_dict': state, 'meta': {'dataset_meta': {'classes': COCO}}}, tmp_path / 'x')
    file = open_detector(tmp_path / 'x')
    fit = fit_detector(file, build('frcnn', len(classes), 'meta', agnostic=True), classes)
    assert torch.equal(
        fit.tensors['roi_head.bbox_head.fc_reg.weight'], state['roi_head.bbox_head.fc_reg.weight']
    )
    fit = fit_detector(file, build('frcnn', len(classes), 'meta'), classes)
    assert 'roi_head.bbox_head.fc_reg' in fit.skipped


def test_only_skipped_layers_are_initialized(files):
    model = build('frcnn', 3)
    model.init_cfg = dict(
        type='DetectorCheckpoint', checkpoint=str(files('mmdetection', 'frcnn')), classes=['a'] * 3
    )
    model.backbone.freeze()
    model.init_weights()
    state, content = model.state_dict(), mmdetection_detector('frcnn')['state_dict']
    new = [name for name in state if state[name].shape != content[name].shape]
    assert {n.split('.')[-2] for n in new} == {'fc_cls', 'fc_reg'}
    assert all(torch.equal(state[n], content[n]) for n in state if n not in new)
    assert 0.005 < state['roi_head.bbox_head.fc_cls.weight'].std() < 0.02


@pytest.mark.parametrize('publisher', FILES)
def test_a_backbone_loads_from_a_detector(files, publisher):
    backbone = ClearGraspResNet(50, trained_stride=32)
    file = load_backbone(backbone, files(publisher, 'frcnn'))
    assert file.family.name == 'ResNet-50'
    assert not any(part == 'backbone' for part in file.skipped)
    images = torch.rand(1, 3, 64, 64)
    if publisher == 'torchvision':
        with torch.no_grad():
            found = backbone.eval()(images)
            expected = torchvision_detector('frcnn').backbone.body(images)
        for level, reference in zip(found, expected.values(), strict=True):
            assert_close(level, reference)


OLD_NAMES = {
    'frcnn': [('inner_blocks.0.0.', 'inner_blocks.0.'), ('rpn.head.conv.0.0.', 'rpn.head.conv.')],
    'retinanet': [(f'conv.{k}.0.', f'conv.{2 * k}.') for k in (3, 2, 1)]
    + [('conv.0.0.', 'conv.0.'), ('layer_blocks.2.0.', 'layer_blocks.2.')],
}


@pytest.mark.parametrize('name', OLD_NAMES)
def test_older_names_in_published_files_are_converted(tmp_path, files, name):
    state = FILES['torchvision'](name)
    for new, old in OLD_NAMES[name]:
        state = {n.replace(new, old): tensor for n, tensor in state.items()}
    assert set(state) != set(FILES['torchvision'](name))
    torch.save(state, tmp_path / 'old.pth')
    found, expected = open_detector(tmp_path / 'old.pth'), open_detector(files('torchvision', name))
    assert found.tensors.keys() == expected.tensors.keys()
    assert all(torch.equal(found.tensors[n], t) for n, t in expected.tensors.items())


def without(state, name):
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ('name', 'spoil', 'message'),
    [
        ('frcnn', lambda s: without(s, 'backbone.fpn.layer_blocks.1.0.bias'),
         r'1 missing \(first: neck.fpn_convs.1.conv.bias\)'),
        ('frcnn', lambda s: {**s, 'roi_heads.mask_head.mask_fcn1.weight': torch.ones(1)},
         'without a counterpart.*mask_fcn1'),
        ('frcnn', lambda s: {**s, 'backbone.fpn.inner_blocks.0.1.weight': torch.ones(1)},
         'not the v2 ones'),
        ('frcnn', lambda s: {**s, 'backbone.body.conv1.weight': torch.ones(64, 3, 3, 3)},
         r'conv1.weight \(64, 3, 3, 3\) instead of'),
        ('frcnn', lambda s: {**s, 'rpn.head.cls_logits.bias': torch.full((3,), torch.nan)}, 'not finite'),
        ('retinanet', lambda s: s, 'holds a RetinaNet, but the config has a Faster R-CNN.*retinanet_'),
        ('frcnn', lambda s: ClearGraspResNet(18, frozen=False).state_dict(),
         'no Faster R-CNN or RetinaNet.*ClearGraspCheckpoint'),
    ],
    ids=['missing', 'mask', 'v2', 'shape', 'nan', 'other detector', 'backbone'],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused(tmp_path, name, spoil, message):
    torch.save(spoil(FILES['torchvision'](name)), tmp_path / 'file.pth')
    model = build('frcnn', device='meta', settings=TORCHVISION['frcnn'])
    with pytest.raises(CheckpointError, match=message):
        fit_detector(open_detector(tmp_path / 'file.pth'), model, COCO)


def test_a_refused_file_does_not_change_the_model(files):
    model = build('frcnn')
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(CheckpointError, match='RetinaNet'):
        DetectorCheckpoint(files('mmdetection', 'retinanet'), COCO)(model)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize('read', [open_backbone, open_detector])
def test_caffe_style_is_refused(tmp_path, read):
    content = {'state_dict': {'backbone.conv1.weight': torch.ones(1)}}
    torch.save({**content, 'meta': {'config': "backbone=dict(style='caffe')"}}, tmp_path / 'c.pth')
    with pytest.raises(CheckpointError, match='Caffe-style'):
        read(tmp_path / 'c.pth')


@pytest.fixture
def plate_detector_file(tmp_path):
    torch.save(plate_detector(), tmp_path / 'plate_detector.pth')
    return tmp_path / 'plate_detector.pth'


@pytest.mark.parametrize(
    ('classes', 'rows'),
    [
        (('petri_dish', 'square_dish', 'multiwell_plate'), [0, 1, 2, 3]),
        (('multiwell_plate', 'petri_dish'), [2, 0, 3]),
        (('petri_dish', 'colony'), None),
    ],
    ids=['the same', 'two of three in another order', 'a new one'],
)
def test_fine_tuning_on_own_classes_loads_all_layers_that_fit(plate_detector_file, classes, rows):
    init_default_scope('mmdet')
    model = Config.fromfile(config_path('frcnn_plates_finetuned')).model
    model.roi_head.bbox_head.num_classes = len(classes)
    model.init_cfg.update(checkpoint=str(plate_detector_file), classes=classes)
    detector = MODELS.build(model)
    detector.init_weights()
    trained, found = plate_detector()['state_dict'], detector.state_dict()
    new = {'roi_head.bbox_head.fc_cls.weight', 'roi_head.bbox_head.fc_cls.bias'}
    for name, tensor in trained.items():
        if name not in new:
            assert torch.equal(found[name], tensor.to(found[name].dtype)), name
        elif rows:
            assert torch.equal(found[name], tensor[rows].float()), name
        else:
            assert len(found[name]) == len(classes) + 1
    assert detector.backbone.frozen


def test_the_plate_detector_is_refused_by_a_config_with_another_backbone(plate_detector_file):
    with pytest.raises(CheckpointError, match=r'on EfficientNet-Lite2\).*on ResNet-50.*finetuned'):
        fit_detector(open_detector(plate_detector_file), build('frcnn', device='meta'))
