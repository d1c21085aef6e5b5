"""Files of random weights in every layout that somebody publishes, small parts left small."""

import functools
import re
from pathlib import Path

import mmdet
import timm
import torch
import torchvision
from mmdet.datasets import CocoDataset
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops import FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.models.backbones import ClearGraspDRN, ClearGraspResNet
from tests.parity.reference_weights import reference_tensor

MMDET_CONFIGS = Path(mmdet.__file__).parent / '.mim' / 'configs' / '_base_' / 'models'


def seeded(module):
    """Backbone weights by the parity tests' rule: deep networks keep their scale."""
    state = {
        name: torch.as_tensor(reference_tensor(name, tuple(tensor.shape)))
        for name, tensor in module.state_dict().items()
    }
    module.load_state_dict(state)
    return module


def cleargrasp(backbone):
    """As ClearGrasp saves its DeepLabv3+."""
    state = {f'backbone.{name}': tensor for name, tensor in seeded(backbone).state_dict().items()}
    heads = {'aspp.conv1.weight': torch.ones(1), 'decoder.last_conv.8.weight': torch.ones(1)}
    return {'model_state_dict': {**state, **heads}, 'optimizer_state_dict': {}, 'epoch': 7}


def torchvision_resnet(depth):
    network = getattr(torchvision.models, f'resnet{depth}')(weights=None)
    return seeded(network).state_dict()


def torchvision_alexnet():
    with torch.device('meta'):
        features = torchvision.models.alexnet(weights=None).features
    state = seeded(features.to_empty(device='cpu')).state_dict()
    classifier = {f'classifier.{k}.weight': torch.ones(1) for k in (1, 4, 6)}
    return {f'features.{name}': tensor for name, tensor in state.items()} | classifier


def drn_of_its_authors(arch):
    backbone = ClearGraspDRN(arch, 8, frozen=False, out_indices=(0, 1, 2, 3, 4))
    return {**seeded(backbone).state_dict(), 'fc.weight': torch.ones(1), 'fc.bias': torch.ones(1)}


def timm_network(name):
    return seeded(timm.create_model(name, pretrained=False)).state_dict()


@functools.cache
def torchvision_detector(name):
    """The published networks: frozen batch norms that add nothing to the variance."""
    torch.manual_seed(0)
    levels = dict(returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
    backbone = resnet_fpn_backbone(
        backbone_name='resnet50', weights=None, **(levels if name == 'retinanet' else {})
    )
    seeded(backbone.body)
    detector = RetinaNet(backbone, 91) if name == 'retinanet' else FasterRCNN(backbone, 91)
    for module in detector.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = 0.0
            # Where the constant matters: a channel that hardly varies.
            module.running_var[0], module.weight[0] = 1e-5, 1e-3
    return detector.eval()


def mmdetection_model(name):
    init_default_scope('mmdet')
    base = {'frcnn': 'faster-rcnn', 'retinanet': 'retinanet'}[name]
    model = Config.fromfile(MMDET_CONFIGS / f'{base}_r50_fpn.py').model
    model.backbone.init_cfg = None
    detector = MODELS.build(model)
    seeded(detector.backbone)
    return detector


@functools.cache
def mmdetection_detector(name):
    torch.manual_seed(0)
    meta = {'CLASSES': CocoDataset.METAINFO['classes'], 'config': "style='pytorch'", 'epoch': 12}
    return {'meta': meta, 'state_dict': mmdetection_model(name).state_dict()}


@functools.cache
def plate_detector():
    """What training with configs/frcnn_plates_detector.py leaves, in half precision."""
    init_default_scope('mmdet')
    cfg = Config.fromfile(config_path('frcnn_plates_detector'))
    torch.manual_seed(0)
    detector = MODELS.build(cfg.model)
    seeded(detector.backbone)
    state = {k: v.half() if v.is_floating_point() else v for k, v in detector.state_dict().items()}
    return {'meta': {'dataset_meta': {'classes': list(cfg.classes)}}, 'state_dict': state}


# What the configs call the files, and what is in them.
PUBLISHED = {
    r'resnet(\d+)-\w+': lambda m: torchvision_resnet(m[1]),
    r'plate_detector': lambda m: plate_detector(),
    r'alexnet-owt-\w+': lambda m: torchvision_alexnet(),
    r'drn_d_(\d+)-\w+': lambda m: drn_of_its_authors(f'D-{m[1]}'),
    r'cleargrasp_(mask|outlines|normals)': lambda m: cleargrasp(
        ClearGraspDRN('D-54', 8, frozen=False, out_indices=(0, 1, 2, 3, 4))
    ),
    r'fasterrcnn_resnet50_fpn_coco-\w+': lambda m: torchvision_detector('frcnn').state_dict(),
    r'retinanet_resnet50_fpn_coco-\w+': lambda m: torchvision_detector('retinanet').state_dict(),
    r'faster_rcnn_r50_fpn_1x_coco_\w+-\w+': lambda m: mmdetection_detector('frcnn'),
    r'retinanet_r50_fpn_1x_coco_\w+-\w+': lambda m: mmdetection_detector('retinanet'),
}


def content_like(checkpoint, backbone_cfg):
    """What the file of this name holds; a ClearGrasp file of the config's backbone otherwise."""
    for pattern, make in PUBLISHED.items():
        match = re.fullmatch(pattern, Path(checkpoint).stem)
        if match:
            return make(match)
    if backbone_cfg['type'] == 'TimmBackbone':
        return timm_network(backbone_cfg['network'])
    if backbone_cfg['type'] != 'ClearGraspResNet':
        raise KeyError(f'no published layout for {checkpoint}: add it to PUBLISHED in {__file__}')
    return cleargrasp(ClearGraspResNet(backbone_cfg['depth'], frozen=False))
