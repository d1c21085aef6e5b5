"""Load the checkpoint of a detector strictly: of this plugin, MMDetection or torchvision."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmdet.datasets import CocoDataset
from mmengine.logging import print_log
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

from ..models.torchvision_anchors import TorchvisionAnchorGenerator
from ..utils.errors import CheckpointError
from .families import recognize
from .state_dicts import (
    StateDictFile,
    find_problems,
    is_torchvision_detector,
    read_state_dict,
    with_batch_norm_eps,
)
from .trained import trained_classes

FASTER_RCNN, RETINANET = 'Faster R-CNN', 'RetinaNet'

# torchvision's names of layers, and MMDetection's. Published files have older names without the
# inner index, which torchvision renames when it loads them.
TORCHVISION_NAMES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r'backbone\.body\.(.+)', r'backbone.\1'),
        (r'backbone\.fpn\.inner_blocks\.(\d)\.(?:0\.)?(\w+)', r'neck.lateral_convs.\1.conv.\2'),
        (r'backbone\.fpn\.layer_blocks\.(\d)\.(?:0\.)?(\w+)', r'neck.fpn_convs.\1.conv.\2'),
        (r'backbone\.fpn\.extra_blocks\.p6\.(\w+)', r'neck.fpn_convs.3.conv.\1'),
        (r'backbone\.fpn\.extra_blocks\.p7\.(\w+)', r'neck.fpn_convs.4.conv.\1'),
        (r'rpn\.head\.conv\.(?:0\.0\.)?(\w+)', r'rpn_head.rpn_conv.\1'),
        (r'rpn\.head\.cls_logits\.(\w+)', r'rpn_head.rpn_cls.\1'),
        (r'rpn\.head\.bbox_pred\.(\w+)', r'rpn_head.rpn_reg.\1'),
        (r'roi_heads\.box_head\.fc6\.(\w+)', r'roi_head.bbox_head.shared_fcs.0.\1'),
        (r'roi_heads\.box_head\.fc7\.(\w+)', r'roi_head.bbox_head.shared_fcs.1.\1'),
        (r'roi_heads\.box_predictor\.cls_score\.(\w+)', r'roi_head.bbox_head.fc_cls.\1'),
        (r'roi_heads\.box_predictor\.bbox_pred\.(\w+)', r'roi_head.bbox_head.fc_reg.\1'),
        (r'head\.classification_head\.conv\.(\d)\.0\.(\w+)', r'bbox_head.cls_convs.\1.conv.\2'),
        (r'head\.regression_head\.conv\.(\d)\.0\.(\w+)', r'bbox_head.reg_convs.\1.conv.\2'),
        (r'head\.classification_head\.cls_logits\.(\w+)', r'bbox_head.retina_cls.\1'),
        (r'head\.regression_head\.bbox_reg\.(\w+)', r'bbox_head.retina_reg.\1'),
    )
)
# Old names of RetinaNet's convolutions, whose numbers count the activations too: 0, 2, 4, 6.
OLD_TOWER = re.compile(r'(head\.\w+_head\.conv)\.([0246])\.(weight|bias)')
# Layers with an output per class or per anchor, which are loaded only if the model has the same
# classes or anchors. Box regression may also be class-agnostic (reg_class_agnostic).
CLASS_LAYERS = ('roi_head.bbox_head.fc_cls.', 'roi_head.bbox_head.fc_reg.', 'bbox_head.retina_cls.')
ANCHOR_LAYERS = (
    'rpn_head.rpn_cls.',
    'rpn_head.rpn_reg.',
    'bbox_head.retina_cls.',
    'bbox_head.retina_reg.',
)
#: Settings with which torchvision's weights were trained, and which tensor shapes do not show.
#: torchvision's RetinaNet computes P6 and P7 from P5, MMDetection's from C5. RoIAlign in
#: torchvision's Faster R-CNN has no shift by half a position, and two samples per bin and axis.
TORCHVISION_RETINANET_NECK = dict(add_extra_convs='on_output', relu_before_extra_convs=True)
TORCHVISION_ROI_LAYER = dict(aligned=False, sampling_ratio=2)


@dataclass(frozen=True)
class DetectorFile:
    """The detector in a checkpoint file.

    Attributes:
        path: Path of the file.
        publisher: ``'MMDetection'`` or ``'torchvision'``, the layout of the file.
        name: ``'Faster R-CNN'`` or ``'RetinaNet'``.
        tensors: Tensors with MMDetection's names.
        classes: Class names in the order of the outputs. torchvision's contain ``'N/A'`` for unused
            outputs.
    """

    path: Path
    publisher: str
    name: str
    tensors: dict[str, Tensor]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """The tensors that a model loads from a detector checkpoint.

    Attributes:
        tensors: Tensors that are loaded, by the names in the model.
        skipped: Reasons by the names of layers that are not loaded.
    """

    tensors: dict[str, Tensor]
    skipped: dict[str, str]


@WEIGHT_INITIALIZERS.register_module()
class DetectorCheckpoint:
    """``init_cfg`` type that loads a detector into a model with other classes, for fine-tuning.

    Reads Faster R-CNN and RetinaNet with FPN: checkpoints of this plugin, and those on ResNet that
    MMDetection and torchvision have published. All tensors of backbone, neck and heads are loaded,
    or none. The exceptions are output layers, which are initialized at random, as the log says, if

    - they have an output per class, and the file lacks one of the model's classes (by name),
    - they have an output per anchor, and the model has another number of anchors per position,
    - they regress boxes per class in the file and class-agnostic in the model, or vice versa.

    Args:
        checkpoint: Local file.
        classes: Class names of the model, in the order of its outputs.
        source: Where to get the file, for the message if it does not exist.

    Example:
        In a config::

            model = dict(
                init_cfg=dict(
                    type='DetectorCheckpoint', checkpoint='checkpoints/coco.pth', classes=classes
                )
            )
    """

    def __init__(
        self, checkpoint: str | Path, classes: Sequence[str] = (), source: str | None = None
    ) -> None:
        self.checkpoint = checkpoint
        self.classes = tuple(classes)
        self.source = source

    def __call__(self, module: nn.Module) -> None:
        """Load the file into a detector.

        Args:
            module: The detector.

        Raises:
            CheckpointError: The file cannot be read or does not fit; ``module`` is unchanged.
        """
        file = open_detector(self.checkpoint, self.source)
        fit = fit_detector(file, module, self.classes)
        # Loaded twice: before the initialization of the parts, because a frozen backbone without
        # weights is refused, and after it, because it overwrites weights.
        module.load_state_dict(fit.tensors, strict=False)
        for child in module.children():
            init_weights = getattr(child, 'init_weights', None)
            if init_weights is not None:
                init_weights()
        module.load_state_dict(fit.tensors, strict=False)
        print_log(f'{file.path}: loaded {describe_fit(file, fit, module)}', logger='current')


def open_detector(path: str | Path, source: str | None = None) -> DetectorFile:
    """Read a checkpoint file of a detector.

    Args:
        path: Local file.
        source: Where to get the file, for the message if it does not exist.

    Raises:
        CheckpointError: The file cannot be read, or holds no Faster R-CNN or RetinaNet.
    """
    file = read_state_dict(path, source)
    if is_torchvision_detector(file.tensors):
        return _from_torchvision(file)
    name = _detector_name(file.tensors)
    if name is None:
        parts = ', '.join(sorted({key.split('.')[0] for key in file.tensors})[:6])
        raise CheckpointError(
            f'{path} holds no Faster R-CNN or RetinaNet, but {parts}. Use the file of a '
            'complete detector here, or a backbone file in model.backbone.init_cfg=dict('
            "type='ClearGraspCheckpoint', checkpoint=PATH)."
        )
    return DetectorFile(file.path, 'MMDetection', name, file.tensors, _classes_of(file))


def fit_detector(file: DetectorFile, module: nn.Module, classes: Sequence[str] = ()) -> Fit:
    """Compare a detector's file with a model, tensor by tensor.

    Args:
        file: File from :func:`open_detector`.
        module: Detector; its values are not read, so it may be on the ``'meta'`` device.
        classes: Class names of the model.

    Returns:
        The tensors to load, and the layers that are not loaded.

    Raises:
        CheckpointError: The file holds another detector or was trained with other settings, or
            tensors are missing, unexpected, of another shape or unusable as weights.
    """
    expected = module.state_dict()
    wanted = _detector_name(expected)
    if file.name != wanted:
        raise CheckpointError(
            f'{file.path} holds a {file.name}, but the config has '
            f'{f"a {wanted}" if wanted else type(module).__name__}. Nothing was loaded. Take the '
            f'config of the same name that begins with {_config_prefix(file.name)}, or a '
            f'{wanted or "fitting"} file.'
        )
    tensors, skipped = _fit_last_layers(file, expected, classes)
    if file.publisher == 'torchvision':
        _check_torchvision_settings(file, module, skipped)
    needed = {name: t for name, t in expected.items() if not _is_in(name, skipped)}
    found = find_problems(tensors, needed)
    if found:
        raise CheckpointError(
            f'{file.path} ({file.publisher}, {file.name} on {_backbone_name(file.tensors)}) does '
            f'not fit the model, which is on {_backbone_name(expected)}: {"; ".join(found)}. '
            'Nothing was loaded. Take the config of this backbone, such as '
            f'configs/{_config_prefix(file.name)}coco_finetuned_plates.py for ResNet-50 or '
            'configs/frcnn_plates_finetuned.py for EfficientNet-Lite2.'
        )
    return Fit(tensors, skipped)


def describe_fit(file: DetectorFile, fit: Fit, module: nn.Module) -> str:
    """Return a sentence on the number of loaded tensors by part, for the log.

    Args:
        file: File from :func:`open_detector`.
        fit: Result of :func:`fit_detector`.
        module: Detector.
    """
    parts = Counter(name.split('.')[0] for name in fit.tensors)
    of_parts = Counter(name.split('.')[0] for name in module.state_dict())
    text = ', '.join(f'{part} {parts[part]} of {of_parts[part]}' for part in parts)
    skipped = ', '.join(f'{layer} ({why})' for layer, why in fit.skipped.items())
    return (
        f"{len(fit.tensors)} of {sum(of_parts.values())} tensors of {file.publisher}'s "
        f'{file.name}: {text}' + (f'; initialized at random: {skipped}' if skipped else '')
    )


def _from_torchvision(file: StateDictFile) -> DetectorFile:
    tensors = with_batch_norm_eps(file.tensors)
    renamed = {_mmdetection_name(name) or name: tensor for name, tensor in tensors.items()}
    unknown = [name for name in tensors if _mmdetection_name(name) is None]
    name = _detector_name(renamed)
    if unknown or name is None:
        raise CheckpointError(
            f'{file.path} is a torchvision detector without a counterpart in MMDetection: '
            f'{len(unknown)} tensors are unknown (first: {[*unknown, "none"][0]}). Use '
            'fasterrcnn_resnet50_fpn or retinanet_resnet50_fpn, not the v2 ones.'
        )
    classes = tuple(FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta['categories'])
    count = _class_count(name, renamed)
    return DetectorFile(
        file.path, 'torchvision', name, renamed, classes if len(classes) == count else ()
    )


def _mmdetection_name(name: str) -> str | None:
    name = OLD_TOWER.sub(lambda m: f'{m[1]}.{int(m[2]) // 2}.0.{m[3]}', name)
    for pattern, replacement in TORCHVISION_NAMES:
        match = pattern.fullmatch(name)
        if match:
            return match.expand(replacement)
    return None


def _detector_name(names: Mapping[str, Tensor]) -> str | None:
    if 'roi_head.bbox_head.fc_cls.weight' in names and 'rpn_head.rpn_cls.weight' in names:
        return FASTER_RCNN
    return RETINANET if 'bbox_head.retina_cls.weight' in names else None


def _backbone_name(tensors: Mapping[str, Tensor]) -> str:
    prefix = 'backbone.'
    backbone = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    return recognize(backbone).name


def _config_prefix(name: str) -> str:
    return {FASTER_RCNN: 'frcnn_', RETINANET: 'retinanet_'}[name]


def _class_count(name: str, tensors: Mapping[str, Tensor]) -> int:
    """Return the number of class outputs in torchvision's layout, including the background."""
    if name == FASTER_RCNN:
        return len(tensors['roi_head.bbox_head.fc_cls.weight'])
    anchors = len(tensors['bbox_head.retina_reg.weight']) // 4
    return len(tensors['bbox_head.retina_cls.weight']) // anchors


def _classes_of(file: StateDictFile) -> tuple[str, ...]:
    """Return the class names in a file of MMDetection; COCO's for old files without names."""
    return trained_classes(file.path, file.about) or CocoDataset.METAINFO['classes']


def _check_torchvision_settings(
    file: DetectorFile, module: nn.Module, skipped: Mapping[str, str]
) -> None:
    """Refuse a model with other settings than torchvision's weights were trained with.

    Raises:
        CheckpointError: Settings differ; the message has the lines that the config needs.
    """
    settings: dict[str, tuple[Any, Mapping[str, object]]]
    if file.name == RETINANET:
        head, settings = 'bbox_head', {'neck': (module.neck, TORCHVISION_RETINANET_NECK)}
    else:
        roi_head: Any = module.roi_head
        layers = roi_head.bbox_roi_extractor.roi_layers
        place = 'roi_head.bbox_roi_extractor.roi_layer'
        head, settings = 'rpn_head', {place: (layers[0], TORCHVISION_ROI_LAYER)}
    lines = [
        f'model.{place}=dict({", ".join(f"{key}={v!r}" for key, v in needed.items())})'
        for place, (part, needed) in settings.items()
        if any(getattr(part, key, None) != value for key, value in needed.items())
    ]
    keeps_anchors = not any(layer.startswith(ANCHOR_LAYERS) for layer in skipped)
    generator = getattr(module, head).prior_generator
    if keeps_anchors and not isinstance(generator, TorchvisionAnchorGenerator):
        lines.append(f"model.{head}.anchor_generator.type='TorchvisionAnchorGenerator'")
    if lines:
        raise CheckpointError(
            f"{file.path} is torchvision's {file.name}, whose weights were trained with other "
            f'settings than the config has. Nothing was loaded. Set {" and ".join(lines)}, as '
            f'configs/{_config_prefix(file.name)}torchvision_coco_finetuned_plates.py does.'
        )


def _fit_last_layers(
    file: DetectorFile, expected: Mapping[str, Tensor], classes: Sequence[str]
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Reorder the output layers for the classes of the model, or skip them with a reason."""
    known = bool(classes) and set(classes) <= set(file.classes)
    tensors, skipped = {}, {}
    for name, tensor in file.tensors.items():
        layer = name.rsplit('.', 1)[0]
        if name.startswith(CLASS_LAYERS) and not _is_class_agnostic(file, name, tensor):
            if not known:
                skipped[layer] = 'other classes'
                continue
            tensor = _pick_classes(file, name, tensor, classes)
        other_shape = name in expected and tensor.shape[:1] != expected[name].shape[:1]
        if '.fc_reg.' in name and other_shape:
            skipped[layer] = (
                'boxes regressed per class in one of the two, class-agnostic in the other'
            )
            continue
        if name.startswith(ANCHOR_LAYERS) and other_shape:
            skipped[layer] = 'other anchors'
            continue
        tensors[name] = tensor
    return tensors, skipped


def _is_class_agnostic(file: DetectorFile, name: str, tensor: Tensor) -> bool:
    """Whether a layer regresses boxes with four outputs for all classes together."""
    return '.fc_reg.' in name and len(tensor) == 4 and len(file.classes) != 1


def _pick_classes(file: DetectorFile, name: str, tensor: Tensor, classes: Sequence[str]) -> Tensor:
    """Return the outputs for ``classes`` in MMDetection's order, a background class last."""
    chosen = [file.classes.index(label) for label in classes]
    if '.retina_cls.' in name:  # anchors x classes
        anchors = len(file.tensors['bbox_head.retina_reg.bias']) // 4
        return tensor.unflatten(0, (anchors, -1))[:, chosen].flatten(0, 1)
    if '.fc_reg.' in name:  # classes x 4
        return tensor.unflatten(0, (-1, 4))[chosen].flatten(0, 1)
    background = 0 if file.publisher == 'torchvision' else len(file.classes)
    return tensor[torch.tensor([*chosen, background])]


def _is_in(name: str, layers: Mapping[str, str]) -> bool:
    return name.rsplit('.', 1)[0] in layers
