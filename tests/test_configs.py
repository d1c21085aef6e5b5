"""Every config builds, fits its backbone's strides, takes a training step and predicts."""

import copy
import functools
import math
from pathlib import Path

import pytest
import torch
import yaml
from mmdet.registry import MODELS
from mmdet.testing import demo_mm_inputs
from mmengine.registry import init_default_scope

from mmdet_cleargrasp import config_dir
from mmdet_cleargrasp.checkpoints import recognize
from mmdet_cleargrasp.engine.checks import check_model
from mmdet_cleargrasp.engine.config_parts import checkpoint_init_cfg, class_heads, innermost_dataset
from mmdet_cleargrasp.engine.run_config import SETTINGS, load_config
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.utils.errors import CheckpointError
from tests.conftest import ROOT
from tests.published_files import content_like

# Those of the same backbone, and so of the same file, side by side.
CONFIGS = sorted(
    (path.name for path in config_dir().glob('*.py')),
    key=lambda name: name.partition('_')[::-1],
)
LOSSES = {
    'FasterRCNN': {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'},
    'RetinaNet': {'loss_cls', 'loss_bbox'},
}
INPUTS = {
    'cleargrasp': ([0, 0, 0], [255, 255, 255]),
    'imagenet': ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    'efficientnet_lite': ([127, 127, 127], [128, 128, 128]),
}
#: Channels and strides.
LITE2_LEVELS = ((24, 4), (48, 8), (120, 16), (352, 32))


def weights(cfg):
    return checkpoint_init_cfg(cfg.model) or checkpoint_init_cfg(cfg.model.backbone)


read_config = functools.cache(lambda name: load_config(config_dir() / name))


@pytest.fixture(params=CONFIGS)
def cfg(request):
    init_default_scope('mmdet')
    return copy.deepcopy(read_config(request.param))


@pytest.fixture(scope='module')
def published(module_folder):
    """Make the config's file in the layout of who publishes it; one is kept at a time."""

    def make(checkpoint, backbone_cfg):
        path = module_folder / Path(checkpoint).name
        if not path.exists():
            for earlier in module_folder.iterdir():
                earlier.unlink()
            torch.save(content_like(checkpoint, backbone_cfg), path)
        return str(path)

    return make


def test_config_trains_and_predicts(cfg, published):
    if weights(cfg):
        weights(cfg).checkpoint = published(weights(cfg).checkpoint, cfg.model.backbone)
    assert {f.level for f in check_model(read_plan(cfg))} == {'ok'}
    torch.manual_seed(0)
    detector = MODELS.build(cfg.model)
    detector.init_weights()
    classes = len(innermost_dataset(cfg.train_dataloader).metainfo.classes)
    batch = demo_mm_inputs(1, image_shapes=[[3, 64, 96]], num_items=[2], num_classes=classes)
    before = {name: t.clone() for name, t in detector.backbone.state_dict().items()}

    detector.train()
    trained = [parameter for parameter in detector.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1e-3, weight_decay=0.1)
    losses = detector.forward(**detector.data_preprocessor(batch, True), mode='loss')
    assert {name for name in losses if name.startswith('loss')} == LOSSES[cfg.model.type]
    total, _ = detector.parse_losses(losses)
    assert torch.isfinite(total)
    total.backward()
    optimizer.step()
    after = detector.backbone.state_dict()
    assert all(torch.equal(before[n], t) for n, t in after.items()) == cfg.model.backbone.frozen

    detector.eval()
    with torch.no_grad():
        (found,) = detector.forward(**detector.data_preprocessor(batch, False), mode='predict')
    assert found.pred_instances.bboxes.shape[1:] == (4,)
    assert (found.pred_instances.labels < classes).all()


def test_values_that_depend_on_each_other_agree(cfg):
    name = Path(cfg.filename).stem
    ours = any(word in name for word in ('cleargrasp', 'random'))
    lite = any(word in name for word in ('efficientnet_lite', 'frcnn_plates'))
    mean, std = INPUTS['efficientnet_lite' if lite else 'cleargrasp' if ours else 'imagenet']
    assert (cfg.model.data_preprocessor.mean, cfg.model.data_preprocessor.std) == (mean, std)
    assert cfg.model.data_preprocessor.bgr_to_rgb
    if not cfg.model.backbone.frozen:  # learns from the start, or from what a name announces
        assert 'finetuned' in name or not cfg.model.backbone.get('init_cfg') or 'alexnet' in name
    assert cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    classes = [innermost_dataset(loader).metainfo.classes for loader in loaders]
    assert {head['num_classes'] for head in class_heads(cfg.model)} == {len(classes[0])}
    assert classes[0] == classes[1] == classes[2]
    assert set(cfg) <= SETTINGS  # nothing that only configs use
    assert cfg.custom_imports.allow_failed_imports is False
    assert cfg.default_hooks.checkpoint.save_best == 'coco/bbox_mAP'
    assert cfg.randomness.seed is not None
    assert '://' not in cfg.pretty_text


def test_arms_differ_in_the_backbone_alone(cfg):
    """Neck, heads, data and schedule are those of the ClearGrasp config, but where it learns."""
    name = Path(cfg.filename).stem
    if any(word in name for word in ('finetuned', 'alexnet', 'cached', 'detector', 'p3')):
        pytest.skip('differs in more by design')
    other = copy.deepcopy(read_config(f'{name.split("_")[0]}_cleargrasp_plates.py'))
    for config in (cfg, other):
        del config.model.backbone, config.model.data_preprocessor
        config.model.neck.pop('in_channels')  # what the backbone's maps have
    keys = ('model', 'train_dataloader', 'val_dataloader', 'optim_wrapper', 'param_scheduler')
    assert all(cfg[key] == other[key] for key in (*keys, 'train_cfg', 'custom_hooks'))


def test_absent_file_is_named_with_its_source(cfg, tmp_path):
    if not weights(cfg):
        pytest.skip('starts from nothing')
    weights(cfg).checkpoint = str(tmp_path / 'absent.pth')
    with pytest.raises(CheckpointError) as error:
        list(check_model(read_plan(cfg)))
    message = str(error.value)
    assert str(tmp_path / 'absent.pth') in message
    assert f'Source: {weights(cfg).source}' in message


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


def test_alexnet_s_single_map_has_its_published_settings():
    detector = MODELS.build(load_config(config_dir() / 'frcnn_alexnet_plates.py').model)
    anchors = detector.rpn_head.prior_generator.base_anchors[0]
    sizes = ((anchors[:, 2:] - anchors[:, :2]).prod(1)).sqrt().round().unique()
    assert sizes.tolist() == [32, 64, 128, 256]
    assert len(anchors) == 12
    (roi_layer,) = detector.roi_head.bbox_roi_extractor.roi_layers
    assert (roi_layer.output_size, roi_layer.sampling_ratio) == ((4, 4), 1)
    assert roi_layer.spatial_scale == 1 / 16


def test_pyramid_from_p3_has_its_published_settings():
    detector = MODELS.build(load_config(config_dir() / 'frcnn_plates_detector.py').model)
    maps = detector.neck([torch.rand(1, c, 64 // s, 128 // s) for c, s in LITE2_LEVELS])
    strides = [(64 // m.shape[2], 128 // m.shape[3]) for m in maps]
    generator = detector.rpn_head.prior_generator
    assert strides == generator.strides == [(s, s) for s in (8, 16, 32, 64)]
    sizes = torch.cat([(a[:, 2:] - a[:, :2]).prod(1).sqrt() for a in generator.base_anchors])
    assert sizes.round().unique().tolist() == [32, 45, 64, 91, 128, 181, 256, 362]
    extractor = detector.roi_head.bbox_roi_extractor
    assert extractor.featmap_strides == [8, 16, 32]
    sides = torch.tensor([40.0, 220.0, 230.0, 440.0, 450.0])
    rois = torch.stack([0 * sides, 0 * sides, 0 * sides, sides, sides], dim=1)
    assert extractor.map_roi_levels(rois, 3).tolist() == [0, 0, 1, 1, 2]


def test_backbone_of_every_config_is_one_that_the_loader_knows(cfg):
    with torch.device('meta'):
        backbone = MODELS.build(cfg.model.backbone)
    assert recognize(backbone.state_dict()).config


def test_model_index_lists_every_config():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    listed = [(model['Name'], model['Config']) for model in index['Models']]
    assert listed == [(Path(name).stem, f'configs/{name}') for name in sorted(CONFIGS)]
    collections = {collection['Name'] for collection in index['Collections']}
    assert {model['In Collection'] for model in index['Models']} <= collections
