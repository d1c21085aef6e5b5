"""Detectors of several libraries with a common interface for the benchmark."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import redirect_stderr
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from mmdet.apis import inference_detector
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.hub import get_config
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.io import ImageReadMode
from torchvision.io import read_image as read_tensor
from torchvision.models import resnet50, resnet101
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.faster_rcnn import fasterrcnn_resnet50_fpn
from torchvision.models.detection.retinanet import retinanet_resnet50_fpn
from torchvision.ops.misc import FrozenBatchNorm2d

from mmdet_cleargrasp.inference import PlateDetector
from mmdet_cleargrasp.inference.batch import BatchOptions, run_batch
from mmdet_cleargrasp.inference.inputs import find_inputs, pictures
from mmdet_cleargrasp.models.backbones.dilation import set_dilation
from mmdet_cleargrasp.utils.errors import DataError

from .samples import Sample

CLASSES = 3
#: Added to the background's logit of untrained heads, so that few boxes exceed the score threshold.
BACKGROUND_BIAS = 5.0
#: Bias of RetinaNet's class scores for a prior of 0.01, torchvision's default.
PRIOR_BIAS = -4.595


class System(ABC):
    """A detector with its optimizer, and the works that it is measured at.

    Args:
        model: Detector.
        device: Device to which it is moved.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self.model, self.device = model.to(device), device
        learning = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, lr=1e-6, fused=True)

    def train_step(self, samples: Sequence[Sample]) -> None:
        """Forward pass, backward pass and optimizer step on a batch in memory."""
        raise NotImplementedError

    def predict(self, samples: Sequence[Sample]) -> None:
        """Detect in a batch in memory."""
        raise NotImplementedError

    @abstractmethod
    def predict_files(self, paths: Sequence[Path]) -> None:
        """Read image files and detect in them, one after another."""

    def train_epoch(self, samples: Sequence[Sample], batch_size: int, workers: int) -> None:
        """Train on image files for an epoch, with data loading in worker processes."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027  most systems have no files
        """Delete temporary files."""


class MMDetectionSystem(System):
    """A detector from a config of MMDetection or of this plugin.

    Args:
        cfg: Config with ``model`` and the data pipelines.
        device: Device of the detector.
        backbone: State dict of the backbone.
    """

    def __init__(self, cfg: Config, device: torch.device, backbone: dict[str, Tensor]) -> None:
        init_default_scope('mmdet')
        cfg.model.backbone.init_cfg = None
        self.model: Any  # MMDetection has no types
        model = MODELS.build(cfg.model)
        model.backbone.load_state_dict(backbone)
        if getattr(model, 'with_roi_head', False):
            model.roi_head.bbox_head.fc_cls.bias.data[-1] += BACKGROUND_BIAS
        else:
            model.bbox_head.retina_cls.bias.data.fill_(PRIOR_BIAS)
        super().__init__(model, device)
        model.cfg = self.cfg = cfg
        self.wrapper = OptimWrapper(self.optimizer)

    def train_step(self, samples: Sequence[Sample]) -> None:
        """See :class:`System`."""
        self.model.train()
        self.model.train_step(self.batch(samples), self.wrapper)

    def predict(self, samples: Sequence[Sample]) -> None:
        """See :class:`System`."""
        self.model.eval()
        with torch.no_grad():
            self.model.test_step(self.batch(samples))

    def predict_files(self, paths: Sequence[Path]) -> None:
        """See :class:`System`."""
        self.model.eval()
        inference_detector(self.model, [str(path) for path in paths])

    def train_epoch(self, samples: Sequence[Sample], batch_size: int, workers: int) -> None:
        """See :class:`System`."""
        self.model.train()
        pipeline = Compose(self.cfg.train_dataloader.dataset.pipeline)
        files = _AnnotatedFiles(samples, pipeline)
        loader = DataLoader(
            files, batch_size, shuffle=True, num_workers=workers, collate_fn=pseudo_collate
        )
        for batch in loader:
            self.model.train_step(batch, self.wrapper)

    def batch(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Convert samples to a batch as MMDetection's data loaders return it."""
        images = [torch.from_numpy(s.image[..., ::-1].transpose(2, 0, 1).copy()) for s in samples]
        return {'inputs': images, 'data_samples': [_data_sample(s) for s in samples]}


class TorchvisionSystem(System):
    """A detector of torchvision.

    Args:
        model: Detector.
        device: Device to which it is moved.
        first_label: Label of the first class: 1 if 0 is the background, as in Faster R-CNN.
    """

    def __init__(self, model: nn.Module, device: torch.device, first_label: int) -> None:
        super().__init__(model, device)
        self.first_label = first_label

    def train_step(self, samples: Sequence[Sample]) -> None:
        """See :class:`System`."""
        self._train_step(
            [_tensor(s.image) for s in samples], [_target(s, self.first_label) for s in samples]
        )

    def predict(self, samples: Sequence[Sample]) -> None:
        """See :class:`System`."""
        self.model.eval()
        with torch.no_grad():
            self.model([_tensor(s.image).to(self.device) for s in samples])

    def predict_files(self, paths: Sequence[Path]) -> None:
        """See :class:`System`."""
        self.model.eval()
        with torch.no_grad():
            for path in paths:
                self.model([_read(path).to(self.device)])

    def train_epoch(self, samples: Sequence[Sample], batch_size: int, workers: int) -> None:
        """See :class:`System`."""
        loader = DataLoader(
            _Files(samples, self.first_label),
            batch_size,
            shuffle=True,
            num_workers=workers,
            collate_fn=_unzip,
        )
        for images, targets in loader:
            self._train_step(images, targets)

    def _train_step(self, images: Sequence[Tensor], targets: Sequence[dict[str, Tensor]]) -> None:
        self.model.train()
        on_device = [{k: v.to(self.device) for k, v in target.items()} for target in targets]
        losses = self.model([image.to(self.device) for image in images], on_device)
        self.optimizer.zero_grad()
        sum(losses.values()).backward()
        self.optimizer.step()


class ShippedSystem(System):
    """The detector that comes with the repository, as ``infer --no-overlays`` runs it.

    It only predicts files, at its config's scale.

    Args:
        device: Device of the detector.
        runtime: What computes the networks, one of :data:`.RUNTIMES`.
        amp: Compute the networks in bfloat16.
    """

    def __init__(self, device: torch.device, runtime: str, amp: bool) -> None:
        self.detector = PlateDetector(device=str(device), runtime=runtime, amp=amp)
        self.model, self.device = self.detector.model, device

    def predict_files(self, paths: Sequence[Path]) -> None:
        """See :class:`System`; also writes the tables, and reads ahead.

        Raises:
            DataError: A file could not be used.
        """
        # Of a batch's own progress bar, which would be drawn over the benchmark's.
        with TemporaryDirectory() as folder, redirect_stderr(StringIO()):
            options = BatchOptions(overlays=False)
            found = run_batch(self.detector, pictures(find_inputs(paths)), folder, options)
        for failure in found.failures:
            raise DataError(f'{failure["image"]}: {failure["problem"]}')


def dense_resnet101() -> nn.Module:
    """ResNet-101 of torchvision with ClearGrasp's dilation: dense at stride 8, with multi-grid.

    Example:
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> set(ClearGraspResNet(101, frozen=False).state_dict()) == {
        ...     name for name in dense_resnet101().state_dict() if not name.startswith('fc.')}
        True
    """
    network = resnet101(norm_layer=nn.BatchNorm2d, replace_stride_with_dilation=[False, True, True])
    for stage, base in ((network.layer3, 2), (network.layer4, 4)):
        for index, block in enumerate(stage):
            set_dilation(block, base * ((1, 2, 4)[index] if stage is network.layer4 else 1))
    return network


def torchvision_frcnn_dense_r101(size: int, backbone: dict[str, Tensor]) -> nn.Module:
    """Faster R-CNN of torchvision with FPN and a frozen :func:`dense_resnet101`.

    Args:
        size: Side of the images in pixels.
        backbone: State dict of the backbone.
    """
    network = dense_resnet101()
    network.load_state_dict(backbone, strict=False)
    network = _freeze_norms(network)
    extractor = _resnet_fpn_extractor(network, trainable_layers=0)
    anchors = AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5)
    model = FasterRCNN(
        extractor, CLASSES + 1, rpn_anchor_generator=anchors, min_size=size, max_size=size
    )
    return _with_background(model)


def torchvision_frcnn_r50(size: int, backbone: dict[str, Tensor]) -> nn.Module:
    """``fasterrcnn_resnet50_fpn`` of torchvision with a frozen backbone.

    Args:
        size: Side of the images in pixels.
        backbone: State dict of the backbone.
    """
    model = fasterrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=CLASSES + 1,
        min_size=size,
        max_size=size,
    )
    return _with_background(_freeze_body(model, backbone))


def torchvision_retinanet_r50(size: int, backbone: dict[str, Tensor]) -> nn.Module:
    """``retinanet_resnet50_fpn`` of torchvision with a frozen backbone.

    Args:
        size: Side of the images in pixels.
        backbone: State dict of the backbone.
    """
    model = retinanet_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=CLASSES,
        min_size=size,
        max_size=size,
    )
    return _freeze_body(model, backbone)


def stock_config(name: str) -> Config:
    """A config of MMDetection with a frozen backbone and three classes.

    RoIAlign is torchvision's, which like mmcv's compiled one uses a single thread: this plugin's
    faster operator, which replaces mmcv's, would not be a fair baseline.

    Args:
        name: Name of the config, such as ``'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'``.
    """
    cfg = get_config(name)
    cfg.model.backbone.update(frozen_stages=4, norm_eval=True)
    if 'roi_head' in cfg.model:
        cfg.model.roi_head.bbox_head.num_classes = CLASSES
        cfg.model.roi_head.bbox_roi_extractor.roi_layer.use_torchvision = True
    else:
        cfg.model.bbox_head.num_classes = CLASSES
    return cfg


@cache
def resnet_weights(depth: int) -> dict[str, Tensor]:
    """State dict of a ResNet with random weights.

    The running variance of batch norm is 2, so that values do not grow from layer to layer.

    Args:
        depth: Number of layers: 50 or 101.
    """
    with torch.random.fork_rng():
        torch.manual_seed(depth)
        network = {50: resnet50, 101: resnet101}[depth](weights=None)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_var is not None
            nn.init.constant_(module.running_var, 2.0)
    return {k: v for k, v in network.state_dict().items() if not k.startswith('fc.')}


class _Files(Dataset):
    """Dataset for torchvision's detectors, with random horizontal flips."""

    def __init__(self, samples: Sequence[Sample], first_label: int) -> None:
        self.samples, self.first_label = samples, first_label

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        sample = self.samples[index]
        image, target = _read(sample.path), _target(sample, self.first_label)
        target['boxes'] = torch.from_numpy(_boxes_in_file(sample))
        if torch.rand(()) < 0.5:
            image = image.flip(2)
            target['boxes'][:, [0, 2]] = image.shape[2] - target['boxes'][:, [2, 0]]
        return image, target


class _AnnotatedFiles(Dataset):
    """Dataset for MMDetection's detectors, with their data pipeline."""

    def __init__(self, samples: Sequence[Sample], pipeline: Any) -> None:
        self.samples, self.pipeline = samples, pipeline

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = self.samples[index]
        width, height = sample.file_size
        instances = [
            {'bbox': list(box), 'bbox_label': int(label), 'ignore_flag': 0}
            for box, label in zip(_boxes_in_file(sample), sample.labels, strict=True)
        ]
        return self.pipeline(
            {
                'img_path': str(sample.path),
                'img_id': index,
                'height': height,
                'width': width,
                'instances': instances,
            }
        )


def _data_sample(sample: Sample) -> DetDataSample:
    shape = sample.image.shape[:2]
    found = DetDataSample(
        metainfo={'img_id': 0, 'img_shape': shape, 'ori_shape': shape, 'scale_factor': (1.0, 1.0)}
    )
    found.gt_instances = InstanceData(
        bboxes=torch.from_numpy(sample.boxes), labels=torch.from_numpy(sample.labels)
    )
    found.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0).long())
    return found


def _tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).copy()).float() / 255


def _read(path: Path) -> Tensor:
    return read_tensor(str(path), ImageReadMode.RGB).float() / 255


def _target(sample: Sample, first_label: int) -> dict[str, Tensor]:
    labels = torch.from_numpy(sample.labels) + first_label
    return {'boxes': torch.from_numpy(sample.boxes.copy()), 'labels': labels}


def _boxes_in_file(sample: Sample) -> np.ndarray:
    height, width = sample.image.shape[:2]
    scale = [sample.file_size[0] / width, sample.file_size[1] / height] * 2
    return sample.boxes * np.array(scale, dtype=np.float32)


def _unzip(items: list[tuple[Tensor, dict]]) -> tuple[list[Tensor], list[dict]]:
    return [image for image, _ in items], [target for _, target in items]


def _freeze_body(model: nn.Module, backbone: dict[str, Tensor]) -> nn.Module:
    body = model.get_submodule('backbone.body')
    body.load_state_dict(backbone, strict=False)
    _freeze_norms(body)
    for parameter in body.parameters():
        parameter.requires_grad = False
    return model


def _freeze_norms(network: nn.Module) -> nn.Module:
    """Replace batch norm by torchvision's frozen batch norm."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(child.num_features)
            frozen.load_state_dict(child.state_dict())
            setattr(network, name, frozen)
        else:
            _freeze_norms(child)
    return network


def _with_background(model: FasterRCNN) -> FasterRCNN:
    model.roi_heads.box_predictor.cls_score.bias.data[0] += BACKGROUND_BIAS
    return model
