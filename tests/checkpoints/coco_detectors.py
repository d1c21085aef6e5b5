"""MMDetection's detectors for COCO, with its settings or with those of torchvision's weights."""

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import device as torch_device
from torchvision.models.detection import RetinaNet_ResNet50_FPN_Weights

from mmdet_cleargrasp.checkpoints.detectors import TORCHVISION_RETINANET_NECK, TORCHVISION_ROI_LAYER
from tests.published_files import MMDET_CONFIGS

CATEGORIES = RetinaNet_ResNet50_FPN_Weights.COCO_V1.meta['categories']
NAMES = {'frcnn': 'faster-rcnn', 'retinanet': 'retinanet'}
ANCHORS = dict(anchor_generator=dict(type='TorchvisionAnchorGenerator'))
NECK = dict(neck=TORCHVISION_RETINANET_NECK)
ROI_LAYER = dict(roi_head=dict(bbox_roi_extractor=dict(roi_layer=TORCHVISION_ROI_LAYER)))
#: Settings of this project's configs for torchvision's weights.
TORCHVISION = {
    'frcnn': dict(rpn_head=ANCHORS, **ROI_LAYER),
    'retinanet': dict(bbox_head=ANCHORS, **NECK),
}


def build(name, classes=80, device='cpu', anchors=None, agnostic=False, settings=None):
    """Build MMDetection's detector with a ResNet-50, and settings merged into its config."""
    init_default_scope('mmdet')
    cfg = Config(dict(model=Config.fromfile(MMDET_CONFIGS / f'{NAMES[name]}_r50_fpn.py').model))
    cfg.merge_from_dict(dict(model=settings or {}))
    model = cfg.model
    model.backbone = dict(type='ClearGraspResNet', depth=50, trained_stride=32, frozen=False)
    head = model.bbox_head if name == 'retinanet' else model.roi_head.bbox_head
    head.num_classes = classes
    if agnostic:
        head.reg_class_agnostic = True
    if anchors:
        (model.get('rpn_head') or head).anchor_generator.ratios = anchors
    with torch_device(device):
        return MODELS.build(model)
