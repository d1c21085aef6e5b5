"""Every config builds, fits its backbone's strides, takes a training step and predicts."""

import math

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.testing import demo_mm_inputs
from mmengine.registry import init_default_scope

from mmdet_cleargrasp import config_dir
from mmdet_cleargrasp.checkpoints import recognise
from mmdet_cleargrasp.engine import preflight
from mmdet_cleargrasp.engine.run_config import load_config

CONFIGS = sorted(path.name for path in config_dir().glob('*.py'))
LOSSES = {
    'FasterRCNN': {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'},
    'RetinaNet': {'loss_cls', 'loss_bbox'},
}


@pytest.fixture(params=CONFIGS)
def cfg(request, backbone_files):
    cfg = load_config(config_dir() / request.param)
    init_default_scope('mmdet')
    cfg.model.backbone.init_cfg.checkpoint = str(backbone_files(cfg.model.backbone.depth))
    return cfg


def test_config_trains_and_predicts(cfg):
    assert {f.level for f in preflight.check_model(cfg)} == {'ok'}
    torch.manual_seed(0)
    detector = MODELS.build(cfg.model)
    detector.init_weights()
    classes = len(cfg.train_dataloader.dataset.metainfo.classes)
    shapes = [[3, 96, 128]] * 2
    batch = demo_mm_inputs(2, image_shapes=shapes, num_items=[2, 0], num_classes=classes)
    frozen = {name: t.clone() for name, t in detector.backbone.state_dict().items()}

    detector.train()
    optimizer = torch.optim.SGD(detector.parameters(), lr=0.01, weight_decay=0.1)
    losses = detector.forward(**detector.data_preprocessor(batch, True), mode='loss')
    assert {name for name in losses if name.startswith('loss')} == LOSSES[cfg.model.type]
    total, _ = detector.parse_losses(losses)
    assert torch.isfinite(total)
    total.backward()
    optimizer.step()
    assert all(torch.equal(frozen[n], t) for n, t in detector.backbone.state_dict().items())

    detector.eval()
    with torch.no_grad():
        found = detector.forward(**detector.data_preprocessor(batch, False), mode='predict')
    assert len(found) == 2
    for sample in found:
        assert sample.pred_instances.bboxes.shape[1:] == (4,)
        assert (sample.pred_instances.labels < classes).all()


def test_knobs_and_what_follows_from_them(cfg):
    assert cfg.num_classes == len(cfg.classes)
    assert cfg.model.data_preprocessor.mean == [0, 0, 0]
    assert cfg.model.data_preprocessor.std == [255, 255, 255]
    assert cfg.model.data_preprocessor.bgr_to_rgb
    assert cfg.model.backbone.frozen
    assert cfg.auto_scale_lr.base_batch_size == cfg.batch_size
    assert cfg.custom_imports.allow_failed_imports is False
    assert cfg.default_hooks.checkpoint.save_best == 'coco/bbox_mAP'
    assert cfg.randomness.seed is not None
    assert '://' not in cfg.pretty_text


def test_retinanet_keeps_its_published_settings():
    cfg = load_config(config_dir() / 'retinanet_cleargrasp_plates.py')
    detector = MODELS.build(cfg.model)
    head = detector.bbox_head
    assert head.prior_generator.num_base_priors == [9] * 5
    assert [stride[0] for stride in head.prior_generator.strides] == [8, 16, 32, 64, 128]
    head.init_weights()
    assert torch.allclose(head.retina_cls.bias, torch.tensor(-math.log(99)))
    assert (cfg.model.test_cfg.score_thr, cfg.model.test_cfg.nms.iou_threshold) == (0.05, 0.5)
    assert (head.loss_cls.gamma, head.loss_cls.alpha) == (2.0, 0.25)


def test_backbone_of_every_config_is_one_that_the_loader_knows(cfg):
    with torch.device('meta'):
        backbone = MODELS.build(cfg.model.backbone)
    assert recognise(backbone.state_dict()).config
