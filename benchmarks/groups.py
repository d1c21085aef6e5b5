"""Groups of systems that are compared with each other."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmdet_cleargrasp.compat.cpu_memory import keep_freed_memory
from mmdet_cleargrasp.engine.mixed_precision import BFloat16OptimWrapper, processor_has_bfloat16
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.runtimes import use_runtime
from mmdet_cleargrasp.models.backbones import ClearGraspResNet
from mmdet_cleargrasp.models.backbones.feature_cache import FeatureCache
from mmdet_cleargrasp.utils.config_paths import config_path

from .systems import (
    MMDetectionSystem,
    ShippedSystem,
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
#: Works of the groups that do not measure all of them.
LIMITED = {
    'frcnn_r50_runtimes': ('predict files',),
    'retinanet_r50_runtimes': ('predict files',),
    'shipped_detector': ('predict files',),
    'levers': ('train step', 'predict'),
    'retinanet_levers': ('train step', 'predict'),
    'allocator': ('memory',),
    'feature_cache': ('train step', 'memory'),
}

#: Groups that are measured on photographs of 12 megapixels, made from the dataset's images.
ON_PHOTOGRAPHS = frozenset({'shipped_detector'})

#: Functions that build the systems of a group, by name; ratios are relative to the first system.
Group = dict[str, Callable[[], System]]

#: Changes of the config for a dense backbone and the strides of its maps.
_DENSE = {
    'model.backbone.trained_stride': 8,
    'model.backbone.output_stride': 8,
    'model.rpn_head.anchor_generator.strides': [4, 8, 8, 8, 16],
    'model.roi_head.bbox_roi_extractor.featmap_strides': [4, 8, 8, 8],
}
#: Changes of the config that replace an optimization of Faster R-CNN by MMDetection's default.
_FRCNN_DEFAULTS = {
    "torch's convolutions in the neck": {'model.neck.conv_cfg': None},
    "MMDetection's RPN": {'model.rpn_head.type': 'RPNHead'},
    "torchvision's RoIAlign": {'model.roi_head.bbox_roi_extractor.roi_layer.use_torchvision': True},
    '512 RoIs per image': {'model.train_cfg.rcnn.sampler.num': 512},
    "MMDetection's proposals": {
        'model.train_cfg.rpn_proposal.nms_pre': 2000,
        'model.train_cfg.rpn_proposal.max_per_img': 1000,
        'model.test_cfg.rpn.nms_pre': 1000,
        'model.test_cfg.rpn.max_per_img': 1000,
    },
}
#: Changes of the config that replace an optimization of RetinaNet by MMDetection's default.
_RETINANET_DEFAULTS = {
    "torch's convolutions": {'model.neck.conv_cfg': None, 'model.bbox_head.conv_cfg': None},
    'boxes at every position': {'model.bbox_head.type': 'RetinaHead'},
}


def frcnn_r101(size: int, device: torch.device) -> Group:
    """Faster R-CNN R101: this plugin's, subsampled, and torchvision's with the dense network.

    Args:
        size: Side of the images in pixels.
        device: Device of the systems.
    """
    return {
        OURS: partial(_ours, 'frcnn_cleargrasp_r101_plates', 101, size, device),
        'torchvision, dense R101': lambda: TorchvisionSystem(
            torchvision_frcnn_dense_r101(size, resnet_weights(101)), device, first_label=1
        ),
    }


def frcnn_r50(size: int, device: torch.device) -> Group:
    """Faster R-CNN R50: this plugin's, torchvision's and MMDetection's."""
    return {
        OURS: partial(_ours, 'frcnn_cleargrasp_plates', 50, size, device),
        'torchvision': lambda: TorchvisionSystem(
            torchvision_frcnn_r50(size, resnet_weights(50)), device, first_label=1
        ),
        'MMDetection': partial(
            _stock, 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', size, device
        ),
    }


def retinanet_r50(size: int, device: torch.device) -> Group:
    """RetinaNet R50: this plugin's, torchvision's and MMDetection's."""
    return {
        OURS: partial(_ours, 'retinanet_cleargrasp_plates', 50, size, device),
        'torchvision': lambda: TorchvisionSystem(
            torchvision_retinanet_r50(size, resnet_weights(50)), device, first_label=0
        ),
        'MMDetection': partial(
            _stock, 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', size, device
        ),
    }


def frcnn_r50_runtimes(size: int, device: torch.device) -> Group:
    """Prediction with Faster R-CNN R50 by runtime and precision, and with the other libraries."""
    return _runtimes(frcnn_r50(size, device), device)


def retinanet_r50_runtimes(size: int, device: torch.device) -> Group:
    """Prediction with RetinaNet R50 by runtime and precision, and with the other libraries."""
    return _runtimes(retinanet_r50(size, device), device)


def _runtimes(group: Group, device: torch.device) -> Group:
    """Add each runtime and precision before the systems of a group."""

    def make(runtime: str, amp: bool) -> System:
        system = group[OURS]()
        use_runtime(system.model.eval(), runtime, amp)
        return system

    options = {name: how for name, how in _computing(device).items() if name != 'torch'}
    return {**{name: partial(make, *options[name]) for name in reversed(options)}, **group}


def shipped_detector(size: int, device: torch.device) -> Group:
    """The detector that comes with the repository by runtime and precision, on photographs.

    It resizes them to its own scale; ``size`` has no effect.
    """
    return {name: partial(ShippedSystem, device, *how) for name, how in _computing(device).items()}


def _computing(device: torch.device) -> dict[str, tuple[str, bool]]:
    """Runtimes and whether they compute in bfloat16, as far as a device has them, by name."""
    on_cpu = device.type == 'cpu'
    runtimes = {'torch': 'torch'}
    if on_cpu and importlib.util.find_spec('openvino'):
        runtimes['OpenVINO'] = 'openvino'
    precisions = {'': False}
    if not on_cpu or processor_has_bfloat16():
        precisions[', bfloat16'] = True
    return {
        name + suffix: (runtime, amp)
        for name, runtime in runtimes.items()
        for suffix, amp in precisions.items()
    }


def levers(size: int, device: torch.device) -> Group:
    """Ablation of Faster R-CNN R50: without one optimization at a time.

    On a CPU also with bfloat16, which is off by default.
    """
    ours = partial(_ours, 'frcnn_cleargrasp_plates', 50, size, device)

    def unfolded() -> System:
        system = ours()
        backbone: Any = system.model.backbone
        backbone.forward = _without_autograd(backbone.forward_features)
        return system

    def bfloat16() -> System:
        system = ours()
        system.wrapper = BFloat16OptimWrapper(optimizer=system.optimizer)
        return system

    changed = {name: partial(ours, options=options) for name, options in _FRCNN_DEFAULTS.items()}
    on_cpu = {'bfloat16 (--amp)': bfloat16} if device.type == 'cpu' else {}
    return {OURS: ours, **changed, 'batch norm not folded': unfolded, **on_cpu}


def retinanet_levers(size: int, device: torch.device) -> Group:
    """Ablation of RetinaNet R50: without one optimization at a time."""
    ours = partial(_ours, 'retinanet_cleargrasp_plates', 50, size, device)
    defaults = _RETINANET_DEFAULTS.items()
    return {OURS: ours, **{name: partial(ours, options=options) for name, options in defaults}}


def allocator(size: int, device: torch.device) -> Group:
    """Faster R-CNN R50 with and without keeping freed memory, each in its own process."""
    ours = partial(_ours, 'frcnn_cleargrasp_plates', 50, size, device)

    def returning_memory() -> System:
        keep_freed_memory(False)
        return ours()

    return {OURS: ours, 'freed memory given back': returning_memory}


def feature_cache(size: int, device: torch.device) -> Group:
    """Dense ResNet-101 with maps from the cache, with maps in memory, and without a cache.

    The first round, which is not measured, fills the cache. With maps in memory only neck and heads
    are measured.
    """
    dense = partial(_ours, 'frcnn_cleargrasp_r101_plates', 101, size, device, options=_DENSE)

    def cached() -> System:
        system, folder = dense(), tempfile.TemporaryDirectory(prefix='feature_cache_')
        backbone: Any = system.model.backbone
        backbone.feature_cache = FeatureCache(backbone, folder.name)
        system.close = folder.cleanup  # type: ignore[method-assign]  # only this system has files
        return system

    def alone() -> System:
        system = dense()
        backbone: Any = system.model.backbone
        backbone.feature_cache = _InMemory()
        return system

    return {'maps from the cache': cached, 'neck and heads alone': alone, 'no cache': dense}


GROUPS: dict[str, Callable[[int, torch.device], Group]] = {
    'frcnn_r101': frcnn_r101,
    'frcnn_r50': frcnn_r50,
    'retinanet_r50': retinanet_r50,
    'frcnn_r50_runtimes': frcnn_r50_runtimes,
    'retinanet_r50_runtimes': retinanet_r50_runtimes,
    'shipped_detector': shipped_detector,
    'levers': levers,
    'retinanet_levers': retinanet_levers,
    'allocator': allocator,
    'feature_cache': feature_cache,
}


def applies(group: str, work: str) -> bool:
    """Whether a group measures a work, one of :data:`.WORKS`.

    Args:
        group: Name of the group.
        work: Name of the work.

    Example:
        >>> applies('levers', 'train step'), applies('levers', 'epoch')
        (True, False)
    """
    return work in LIMITED.get(group, (work,))


def backbones(device: torch.device) -> dict[str, dict[str, Callable[[Tensor], Sequence[Tensor]]]]:
    """Backbones with the same weights in several implementations.

    Args:
        device: Device of the backbones.

    Returns:
        Functions from images to feature maps, by network and implementation.
    """
    found: dict[str, dict[str, Callable[[Tensor], Sequence[Tensor]]]] = {}
    for depth in (50, 101):
        ours = ClearGraspResNet(depth)
        ours.load_state_dict(resnet_weights(depth))
        ours.to(device).eval()
        found[f'ResNet-{depth}'] = {
            OURS: ours,
            'batch norm not folded': _without_autograd(ours.forward_features),
        }
    dense = dense_resnet101()
    dense.load_state_dict(resnet_weights(101), strict=False)
    dense.to(device).eval()
    found['ResNet-101']['dense, a plain port'] = _without_autograd(partial(_stages, dense))
    return found


class _InMemory:
    """A feature cache in memory, which takes no time to read."""

    def __init__(self) -> None:
        self.maps: dict[float, Sequence[Tensor]] = {}

    def __call__(
        self, images: Tensor, compute: Callable[[Tensor], Sequence[Tensor]]
    ) -> Sequence[Tensor]:
        key = float(images.sum())
        if key not in self.maps:
            self.maps[key] = compute(images)
        return self.maps[key]


def _stages(network: Any, x: Tensor) -> tuple[Tensor, ...]:
    x = network.maxpool(network.relu(network.bn1(network.conv1(x))))
    maps = []
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        x = stage(x)
        maps.append(x)
    return tuple(maps)


def _without_autograd(function: Callable[[Tensor], Sequence[Tensor]]) -> Callable:
    return torch.no_grad()(function)


def _ours(
    config: str,
    depth: int,
    size: int,
    device: torch.device,
    options: dict[str, Any] | None = None,
) -> MMDetectionSystem:
    cfg = load_config(config_path(config), cfg_options=options)
    return MMDetectionSystem(_resized(cfg, size), device, resnet_weights(depth))


def _stock(config: str, size: int, device: torch.device) -> MMDetectionSystem:
    return MMDetectionSystem(_resized(stock_config(config), size), device, resnet_weights(50))


def _resized(cfg: Config, size: int) -> Config:
    """Set the image size of the pipelines."""
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            if step['type'] == 'Resize':
                step.update(scale=(size, size), keep_ratio=True)
    return cfg
