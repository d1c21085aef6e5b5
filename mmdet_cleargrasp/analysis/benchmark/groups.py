"""What is compared with what."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial

import torch
from mmengine.config import Config
from torch import Tensor, nn

from ...backbones import ClearGraspResNet
from ...backbones.feature_cache import FeatureCache
from ...config_files import config_path
from ...engine.run_config import load_config
from .systems import (
    MMDetectionSystem,
    System,
    TorchvisionSystem,
    dense_resnet101,
    resnet_weights,
    stock_config,
    torchvision_frcnn_dense_r101,
    torchvision_frcnn_r50,
    torchvision_retinanet_r50,
)

OURS = 'this plugin'

#: How to make each system of a group, by its name; times are divided by the first one's.
Group = dict[str, Callable[[], System]]

#: What the dense network's maps ask of the other parts.
_DENSE = {
    'model.backbone.output_stride': 8,
    'model.rpn_head.anchor_generator.strides': [4, 8, 8, 8, 16],
    'model.roi_head.bbox_roi_extractor.featmap_strides': [4, 8, 8, 8],
}
#: Each saving of Faster R-CNN as MMDetection has it.
_TAKEN_BACK = {
    "MMDetection's RPN backward": {'model.rpn_head.type': 'RPNHead'},
    "torchvision's RoIAlign": {'model.roi_head.bbox_roi_extractor.roi_layer.use_torchvision': True},
    '512 RoIs an image': {'model.train_cfg.rcnn.sampler.num': 512},
    "MMDetection's proposals": {
        'model.train_cfg.rpn_proposal.nms_pre': 2000,
        'model.train_cfg.rpn_proposal.max_per_img': 1000,
        'model.test_cfg.rpn.nms_pre': 1000,
        'model.test_cfg.rpn.max_per_img': 1000,
    },
}


def frcnn_r101(size: int, device: torch.device) -> Group:
    """Faster R-CNN R101 at the pyramid's strides, beside torchvision over the dense network."""
    weights = resnet_weights(101)
    peer = 'torchvision, dense R101'
    return {
        OURS: lambda: _ours(OURS, 'frcnn_cleargrasp_r101_plates', size, device, weights),
        peer: lambda: TorchvisionSystem(peer, torchvision_frcnn_dense_r101(size, weights), device),
    }


def frcnn_r50(size: int, device: torch.device) -> Group:
    """Faster R-CNN R50 beside torchvision's and MMDetection's own."""
    weights = resnet_weights(50)
    stock = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
    return {
        OURS: lambda: _ours(OURS, 'frcnn_cleargrasp_plates', size, device, weights),
        'torchvision': lambda: TorchvisionSystem(
            'torchvision', torchvision_frcnn_r50(size, weights), device
        ),
        'MMDetection': lambda: _stock(stock, size, device, weights),
    }


def retinanet_r50(size: int, device: torch.device) -> Group:
    """RetinaNet R50 beside torchvision's and MMDetection's own."""
    weights = resnet_weights(50)
    stock = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'
    return {
        OURS: lambda: _ours(OURS, 'retinanet_cleargrasp_plates', size, device, weights),
        'torchvision': lambda: TorchvisionSystem(
            'torchvision', torchvision_retinanet_r50(size, weights), device
        ),
        'MMDetection': lambda: _stock(stock, size, device, weights),
    }


def levers(size: int, device: torch.device) -> Group:
    """Faster R-CNN R50 beside itself with one of its savings taken back at a time."""
    weights, config = resnet_weights(50), 'frcnn_cleargrasp_plates'

    def unfolded() -> System:
        system = _ours('batch norm not folded', config, size, device, weights)
        system.model.backbone.forward = _without_autograd(system.model.backbone.compute)
        return system

    changed = {
        name: partial(_ours, name, config, size, device, weights, options)
        for name, options in _TAKEN_BACK.items()
    }
    ours = partial(_ours, OURS, config, size, device, weights)
    return {OURS: ours, **changed, 'batch norm not folded': unfolded}


def feature_cache(size: int, device: torch.device) -> Group:
    """A dense ResNet-101 whose maps are on disk already, beside neck and heads alone, and without.

    The first round, which is not counted, fills the cache.
    """
    weights, config = resnet_weights(101), 'frcnn_cleargrasp_r101_plates'

    def cached() -> System:
        system = _ours('maps from the cache', config, size, device, weights, _DENSE)
        folder = tempfile.TemporaryDirectory(prefix='feature_cache_')
        backbone = system.model.backbone
        backbone.forward = FeatureCache(backbone, folder.name)
        system.close = folder.cleanup
        return system

    def alone() -> System:
        system = _ours('neck and heads alone', config, size, device, weights, _DENSE)
        system.model.backbone.forward = _Remembered(system.model.backbone.forward)
        return system

    without = partial(_ours, 'without the cache', config, size, device, weights, _DENSE)
    return {'maps from the cache': cached, 'neck and heads alone': alone, 'no cache': without}


GROUPS: dict[str, Callable[[int, torch.device], Group]] = {
    'frcnn_r101': frcnn_r101,
    'frcnn_r50': frcnn_r50,
    'retinanet_r50': retinanet_r50,
    'levers': levers,
    'feature_cache': feature_cache,
}


def backbones(device: torch.device) -> dict[str, dict[str, Callable[[Tensor], Sequence[Tensor]]]]:
    """Backbones beside the same weights as a plain port computes them, by group and name.

    Args:
        device (torch.device): where they compute.
    """
    found = {}
    for depth in (50, 101):
        weights = resnet_weights(depth)
        ours = ClearGraspResNet(depth)
        ours.load_state_dict(weights)
        ours.to(device).eval()
        found[f'ResNet-{depth}'] = {
            OURS: ours,
            'batch norm not folded': _without_autograd(ours.compute),
        }
    dense = dense_resnet101()
    dense.load_state_dict(weights, strict=False)
    dense.to(device).eval()
    found['ResNet-101']['dense, a plain port'] = _without_autograd(partial(_stages, dense))
    return found


class _Remembered:
    """A backbone whose maps are computed once and stay in memory."""

    def __init__(self, forward: Callable[[Tensor], Sequence[Tensor]]) -> None:
        self.forward, self.maps = forward, {}

    def __call__(self, images: Tensor) -> Sequence[Tensor]:
        key = float(images.sum())
        if key not in self.maps:
            self.maps[key] = self.forward(images)
        return self.maps[key]


def _stages(network: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    x = network.maxpool(network.relu(network.bn1(network.conv1(x))))
    maps = []
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        x = stage(x)
        maps.append(x)
    return tuple(maps)


def _without_autograd(function: Callable[[Tensor], Sequence[Tensor]]) -> Callable:
    @torch.no_grad()
    def call(x: Tensor) -> Sequence[Tensor]:
        return function(x)

    return call


def _ours(
    name: str,
    config: str,
    size: int,
    device: torch.device,
    weights: dict[str, Tensor],
    options: dict | None = None,
) -> MMDetectionSystem:
    cfg = load_config(config_path(config), cfg_options=options)
    return MMDetectionSystem(name, _resized(cfg, size), device, weights)


def _stock(
    config: str, size: int, device: torch.device, weights: dict[str, Tensor]
) -> MMDetectionSystem:
    cfg = _resized(stock_config(config), size)
    return MMDetectionSystem('MMDetection', cfg, device, weights)


def _resized(cfg: Config, size: int) -> Config:
    """Let the pipelines make images of the benchmark's size."""
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            if step['type'] == 'Resize':
                step.update(scale=(size, size), keep_ratio=True)
    return cfg
