"""Loading a whole detector strictly: of this plugin, of MMDetection or of torchvision."""

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

# torchvision's names and MMDetection's for the same layers. Released files have the older names
# (without the inner index), which torchvision renames while it reads.
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
# Old names of RetinaNet's towers count activations too: 0, 2, 4, 6.
OLD_TOWER = re.compile(r'(head\.\w+_head\.conv)\.([0246])\.(weight|bias)')
# Layers whose outputs are classes or anchors: they are kept only where those are the model's. Box
# outputs may also be the same for all classes (reg_class_agnostic).
CLASS_LAYERS = ('roi_head.bbox_head.fc_cls.', 'roi_head.bbox_head.fc_reg.', 'bbox_head.retina_cls.')
ANCHOR_LAYERS = (
    'rpn_head.rpn_cls.',
    'rpn_head.rpn_reg.',
    'bbox_head.retina_cls.',
    'bbox_head.retina_reg.',
)
#: What belongs to torchvision's weights beside the shapes of a model's tensors: RetinaNet's P6 and
#: P7 come from P5, MMDetection's from C5; Faster R-CNN samples regions without the shift by half a
#: position that MMDetection makes, at two points a bin and axis.
TORCHVISION_RETINANET_NECK = dict(add_extra_convs='on_output', relu_before_extra_convs=True)
TORCHVISION_ROI_LAYER = dict(aligned=False, sampling_ratio=2)


@dataclass(frozen=True)
class DetectorFile:
    """The detector in a checkpoint file.

    Attributes:
        path: The file.
        publisher: ``'MMDetection'`` or ``'torchvision'``, whose layout it has.
        name: ``'Faster R-CNN'`` or ``'RetinaNet'``.
        tensors: By MMDetection's names.
        classes: In the order of the outputs; torchvision's have gaps, ``'N/A'``.
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
        tensors: Those that are loaded, by the model's names.
        left_out: Layers that are not, and why.
    """

    tensors: dict[str, Tensor]
    left_out: dict[str, str]


@WEIGHT_INITIALIZERS.register_module()
class DetectorCheckpoint:
    """The ``init_cfg`` type that loads a whole detector into a model of one's own classes.

    Reads Faster R-CNN and RetinaNet with FPN as this plugin trains them, and on ResNet as
    MMDetection and torchvision publish them. Backbone, neck and heads are loaded whole or not at
    all, except for the layers that end in classes (kept where the file knows all of the model's, by
    name), in anchors (kept where a cell has as many) and in boxes (kept where both or neither
    refine them by class): those are initialized at random, and the log says so.

    Args:
        checkpoint: The local file.
        classes: The model's classes, in its order.
        source: Where to get the file, for the message where it is absent.

    Example:
        A model takes it as::

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
        """Load the file into ``module``.

        Raises:
            CheckpointError: The file cannot be read or does not fit; ``module`` is unchanged.
        """
        file = open_detector(self.checkpoint, self.source)
        fit = fit_detector(file, module, self.classes)
        # Once for the frozen backbone, which refuses to start without weights, and again after the
        # parts' own initialization, which overwrites them.
        module.load_state_dict(fit.tensors, strict=False)
        for child in module.children():
            init_weights = getattr(child, 'init_weights', None)
            if init_weights is not None:
                init_weights()
        module.load_state_dict(fit.tensors, strict=False)
        print_log(f'{file.path}: loaded {describe_fit(file, fit, module)}', logger='current')


def open_detector(path: str | Path, source: str | None = None) -> DetectorFile:
    """Read a checkpoint file of a whole detector.

    Args:
        path: The local file.
        source: Where to get the file, for the message where it is absent.

    Raises:
        CheckpointError: The file cannot be read, or is none of a detector that is known.
    """
    file = read_state_dict(path, source)
    if is_torchvision_detector(file.tensors):
        return _from_torchvision(file)
    name = _detector_name(file.tensors)
    if name is None:
        parts = ', '.join(sorted({key.split('.')[0] for key in file.tensors})[:6])
        raise CheckpointError(
            f'{path} holds no Faster R-CNN or RetinaNet, but {parts}. Give the file of a whole '
            'detector, or a backbone file to model.backbone.init_cfg=dict('
            "type='ClearGraspCheckpoint', checkpoint=PATH)."
        )
    return DetectorFile(file.path, 'MMDetection', name, file.tensors, _classes_of(file))


def fit_detector(file: DetectorFile, module: nn.Module, classes: Sequence[str] = ()) -> Fit:
    """Compare a detector's file with a model, tensor by tensor.

    Args:
        file: From :func:`open_detector`.
        module: The detector; its values are not read, so it may be on ``'meta'``.
        classes: The model's.

    Raises:
        CheckpointError: Another detector, or tensors that are missing, left over, of another shape
            or unusable as weights.
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
    tensors, left_out = _fit_last_layers(file, expected, classes)
    if file.publisher == 'torchvision':
        _check_torchvision_settings(file, module, left_out)
    needed = {name: t for name, t in expected.items() if not _is_in(name, left_out)}
    found = find_problems(tensors, needed)
    if found:
        raise CheckpointError(
            f'{file.path} ({file.publisher}, {file.name} on {_backbone_name(file.tensors)}) does '
            f'not fit the model, which is on {_backbone_name(expected)}: {"; ".join(found)}. '
            'Nothing was loaded. Take the config of this backbone, such as '
            f'configs/{_config_prefix(file.name)}coco_finetuned_plates.py for ResNet-50 or '
            'configs/frcnn_plates_finetuned.py for EfficientNet-Lite2.'
        )
    return Fit(tensors, left_out)


def describe_fit(file: DetectorFile, fit: Fit, module: nn.Module) -> str:
    """A sentence on how many tensors of how many a model takes, part by part."""
    parts = Counter(name.split('.')[0] for name in fit.tensors)
    of_parts = Counter(name.split('.')[0] for name in module.state_dict())
    text = ', '.join(f'{part} {parts[part]} of {of_parts[part]}' for part in parts)
    left_out = ', '.join(f'{layer} ({why})' for layer, why in fit.left_out.items())
    return (
        f"{len(fit.tensors)} of {sum(of_parts.values())} tensors of {file.publisher}'s "
        f'{file.name}: {text}' + (f'; initialized at random: {left_out}' if left_out else '')
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
    """Number of class outputs of torchvision's layout, its background included."""
    if name == FASTER_RCNN:
        return len(tensors['roi_head.bbox_head.fc_cls.weight'])
    anchors = len(tensors['bbox_head.retina_reg.weight']) // 4
    return len(tensors['bbox_head.retina_cls.weight']) // anchors


def _classes_of(file: StateDictFile) -> tuple[str, ...]:
    """The classes that MMDetection writes into its files; COCO's where an old one says none."""
    return trained_classes(file.path, file.about) or CocoDataset.METAINFO['classes']


def _check_torchvision_settings(
    file: DetectorFile, module: nn.Module, left_out: Mapping[str, str]
) -> None:
    """Refuse a model that would compute something else from torchvision's weights.

    Raises:
        CheckpointError: With the lines that the config needs.
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
    keeps_anchors = not any(layer.startswith(ANCHOR_LAYERS) for layer in left_out)
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
    """Reorder the layers that end in classes or anchors, or drop them with the reason."""
    known = bool(classes) and set(classes) <= set(file.classes)
    tensors, left_out = {}, {}
    for name, tensor in file.tensors.items():
        layer = name.rsplit('.', 1)[0]
        if name.startswith(CLASS_LAYERS) and not _is_class_agnostic(file, name, tensor):
            if not known:
                left_out[layer] = 'other classes'
                continue
            tensor = _pick_classes(file, name, tensor, classes)
        other_shape = name in expected and tensor.shape[:1] != expected[name].shape[:1]
        if '.fc_reg.' in name and other_shape:
            left_out[layer] = (
                'boxes refined by class in one of the two, class-agnostic in the other'
            )
            continue
        if name.startswith(ANCHOR_LAYERS) and other_shape:
            left_out[layer] = 'other anchors'
            continue
        tensors[name] = tensor
    return tensors, left_out


def _is_class_agnostic(file: DetectorFile, name: str, tensor: Tensor) -> bool:
    """Whether one set of four outputs refines the boxes of several classes."""
    return '.fc_reg.' in name and len(tensor) == 4 and len(file.classes) != 1


def _pick_classes(file: DetectorFile, name: str, tensor: Tensor, classes: Sequence[str]) -> Tensor:
    """The outputs for ``classes``, in MMDetection's order: background, where there is one, last."""
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
