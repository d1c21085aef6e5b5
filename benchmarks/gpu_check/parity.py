"""Checks that a device gives the CPU's results: operators, backbones, detections.

Each check takes a :class:`.Setting` and an argument, returns its result as text, and raises
:class:`.CheckError` if it fails.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from mmcv.ops import batched_nms, nms, roi_align, sigmoid_focal_loss
from torch import Tensor, nn

from mmdet_cleargrasp.cli import infer
from mmdet_cleargrasp.models.backbones import AlexNet, ClearGraspDRN, ClearGraspResNet, TimmBackbone

from ..samples import load_samples
from .running import CheckError, Setting

#: Largest allowed difference in float32, relative to the largest value.
TOLERANCE = 1e-4
#: Largest allowed difference of box coordinates in pixels, and of scores.
BOX_TOLERANCE, SCORE_TOLERANCE = 0.5, 0.01

BACKBONES: dict[str, Callable[[], nn.Module]] = {
    'ClearGraspResNet 50': lambda: ClearGraspResNet(50),
    'ClearGraspResNet 101, dense': lambda: ClearGraspResNet(101, output_stride=8),
    'ClearGraspDRN D-54': lambda: ClearGraspDRN('D-54'),
    'AlexNet': lambda: AlexNet(),
    'TimmBackbone tf_efficientnet_lite2': lambda: TimmBackbone('tf_efficientnet_lite2'),
}


def operators(setting: Setting, _: str = '') -> str:
    """Compare the outputs and gradients of mmcv's operators."""
    device = torch.device(setting.device)
    worst = 0.0
    for name, operator in OPERATORS.items():
        expected, found = operator(torch.device('cpu')), operator(device)
        for one, other in zip(expected, found, strict=True):
            worst = max(worst, _difference(name, one, other))
    return f'{len(OPERATORS)} operators, difference {worst:.1e}'


def backbone(setting: Setting, name: str) -> str:
    """Compare the feature maps of a backbone, a key of :data:`BACKBONES`, with random weights."""
    torch.manual_seed(0)
    network = with_random_weights(BACKBONES[name]()).eval()
    images = torch.rand(2, 3, setting.size, setting.size)
    with torch.no_grad(), _exact_floats():
        expected = network(images)
        found = network.to(setting.device)(images.to(setting.device))
    differences = [_difference(name, a, b) for a, b in zip(expected, found, strict=True)]
    return f'{len(differences)} maps, difference {max(differences):.1e}'


def inference(setting: Setting, _: str = '') -> str:
    """Compare the detections of ``tools/infer.py`` in four images, with the included detector."""
    images = setting.folder / 'photographs'
    images.mkdir(exist_ok=True)
    for sample in load_samples(setting.data_root, 4, setting.size):
        shutil.copy(sample.path, images)
    with _exact_floats():
        expected = _infer(images, 'cpu', setting.folder / 'detections_of_the_cpu')
        found = _infer(images, setting.device, setting.folder / 'detections')
    if not expected and not found:
        raise CheckError('no plate found: nothing to compare')
    if [plate['image_id'] for plate in expected] != [plate['image_id'] for plate in found]:
        raise CheckError(f'found {len(found)} plates, expected {len(expected)} as on the CPU')
    for one, other in zip(expected, found, strict=True):
        moved = max(abs(a - b) for a, b in zip(one['bbox'], other['bbox'], strict=True))
        changed = abs(one['score'] - other['score'])
        if moved > BOX_TOLERANCE or changed > SCORE_TOLERANCE:
            raise CheckError(f'a box differs by {moved:.2f} pixels, its score by {changed:.3f}')
    return f'{len(found)} plates in 4 images, the same on the CPU'


def with_random_weights(network: nn.Module) -> nn.Module:
    """Make a frozen backbone with random weights usable, as if they had been loaded.

    Args:
        network: Backbone, which is changed in place: the running variance of batch norm is set to
            2, so that values do not grow from layer to layer.

    Returns:
        The backbone.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            nn.init.constant_(module.running_var, 2.0)
    network.load_state_dict(network.state_dict())
    return network


def _nms(device: torch.device) -> Sequence[Tensor]:
    boxes, scores, labels = _boxes(device)
    kept, indices = nms(boxes, scores, 0.5)
    by_class, _ = batched_nms(boxes, scores, labels, dict(type='nms', iou_threshold=0.5))
    return kept, indices, by_class


def _roi_align(device: torch.device) -> Sequence[Tensor]:
    boxes, _, labels = _boxes(device)
    maps = _random(2, 16, 32, 32, device=device).requires_grad_()
    rois = torch.cat([(labels % 2)[:, None].float(), boxes], dim=1)
    pooled = roi_align(maps, rois, (7, 7), 0.125, 0, 'avg', True)
    (pooled * torch.linspace(-1, 1, pooled.numel(), device=device).view_as(pooled)).sum().backward()
    assert maps.grad is not None
    return pooled, maps.grad


def _focal_loss(device: torch.device) -> Sequence[Tensor]:
    logits = _random(512, 3, device=device).requires_grad_()
    labels = torch.arange(512, device=device) % 4
    loss = sigmoid_focal_loss(logits, labels, 2.0, 0.25, None, 'sum')
    loss.backward()
    assert logits.grad is not None
    return loss, logits.grad


OPERATORS: dict[str, Callable[[torch.device], Sequence[Tensor]]] = {
    'nms': _nms,
    'roi_align': _roi_align,
    'sigmoid_focal_loss': _focal_loss,
}


def _boxes(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    corners = 200 * _random(300, 2, device=device)
    boxes = torch.cat([corners, corners + 8 + 48 * _random(300, 2, device=device, seed=1)], dim=1)
    return boxes, _random(300, device=device, seed=2), torch.arange(300, device=device) % 3


def _random(*shape: int, device: torch.device, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)).to(device)


def _difference(name: str, expected: Tensor, found: Tensor) -> float:
    """Largest difference, relative to the largest value; raises ``CheckError`` if too large."""
    if expected.shape != found.shape:
        raise CheckError(f'{name}: shape {tuple(found.shape)}, expected {tuple(expected.shape)}')
    expected, found = expected.detach().double(), found.detach().cpu().double()
    difference = (found - expected).abs().max()
    relative = float(difference / expected.abs().max().clamp(min=1e-12))
    if not relative <= TOLERANCE:
        raise CheckError(f'{name}: difference {relative:.1e}, expected at most {TOLERANCE:.0e}')
    return relative


@contextlib.contextmanager
def _exact_floats() -> Iterator[None]:
    """Disable TF32, which rounds to 10 bits, in convolutions; matrix products do not use it."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _infer(images: Path, device: str, out: Path) -> list[dict[str, Any]]:
    status = infer.main([str(images), '--device', device, '--out', str(out), '--no-overlays'])
    if status:
        raise CheckError(f'tools/infer.py --device {device} ended with status {status}')
    found = json.loads((out / 'detections.json').read_text())['annotations']
    return sorted(found, key=lambda plate: (plate['image_id'], *plate['bbox']))
