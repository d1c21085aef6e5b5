"""Export of a whole detector as one ONNX graph, from pixels to boxes, and its check.

The input is a *canvas* of fixed size with the resized image in its upper left corner:

============  ======  ===================  ==================================================
name          type    shape                what
============  ======  ===================  ==================================================
``canvas``    uint8   (1, H, W, 3)         RGB; pixels outside the image are ignored
``size``      int64   (2,)                 height and width of the image within the canvas
``original``  int64   (2,)                 height and width before resizing
``boxes``     float   (N, 4)               x1, y1, x2, y2 in pixels of the original image
``scores``    float   (N,)                 descending
``labels``    int64   (N,)                 class ids
============  ======  ===================  ==================================================

Decoding and non-maximum suppression are written here as tensor operations that ONNX has, since
MMDetection's branch on the values; its heads, coders and anchors are called as they are.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import mmcv
import numpy as np
import supervision as sv
import torch
import torchvision
from mmdet.models.dense_heads import RetinaHead, RPNHead
from mmdet.models.detectors import SingleStageDetector, TwoStageDetector
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmdet.structures import DetDataSample
from mmdet.utils import get_test_pipeline_cfg
from torch import Tensor, nn

from ..utils.atomic_files import refuse_unwritable, write_atomically
from ..utils.errors import ConfigError
from .detector import PlateDetector
from .inputs import Picture
from .results import labels_of, scores_of

if TYPE_CHECKING:
    from mmengine.config import ConfigDict

OUTPUTS = ('boxes', 'scores', 'labels')

#: The first with RoIAlign's half-pixel coordinates is 16; torch's exporter writes 18 by itself.
OPSET = 18

#: Methods of MMDetection's heads that this module stands for.
PREDICTION = (
    'predict', 'predict_by_feat', '_predict_by_feat_single', '_bbox_post_process', 'predict_bbox',
    '_bbox_forward', 'map_roi_levels',
)  # fmt: skip

#: Boxes of one class that overlap by more are the same detection.
MATCH_IOU = 0.9


class WholeDetector(nn.Module):
    """A detector of MMDetection as one function of tensors, without branches on their values.

    Args:
        model: Faster R-CNN or RetinaNet, or a subclass that predicts in the same way.
        canvas: Height and width of the input.

    Raises:
        ConfigError: A detector of another kind.
    """

    def __init__(self, model: nn.Module, canvas: tuple[int, int]) -> None:
        super().__init__()
        _refuse_others(model)
        self.model: Any = model.eval()  # its parts are MMDetection's, which has no types
        self.canvas = canvas

    def forward(
        self, canvas: Tensor, size: Tensor, original: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Detections in an image.

        Args:
            canvas: uint8 (1, H, W, 3), RGB, with the image in the upper left corner.
            size: int64 (2,), height and width of the image there.
            original: int64 (2,), height and width before resizing.

        Returns:
            Boxes (N, 4) in pixels of the original, scores (N,), labels (N,).
        """
        features = self.model.extract_feat(self._normalized(canvas, size))
        if isinstance(self.model, TwoStageDetector):
            cfg = self.model.roi_head.test_cfg
            proposals = self._propose(features, size)
            boxes, scores, labels = self._classify(features, proposals, size)
        else:
            cfg = self.model.bbox_head.test_cfg
            boxes, scores, labels, _ = self._candidates(self.model.bbox_head, cfg, features, size)
        # Before NMS, as in MMDetection: rounding of sizes changes overlaps slightly.
        boxes = boxes * (original / size).flip(0).repeat(2).to(boxes.dtype)
        # Low scores do not suppress higher ones, so they may be dropped afterwards.
        kept = _suppress(boxes, scores, labels, cfg.nms)
        kept = kept[_large_enough(boxes[kept], cfg)][: cfg.max_per_img]
        kept = kept[scores[kept] > cfg.score_thr]
        return boxes[kept], scores[kept], labels[kept]

    def _normalized(self, canvas: Tensor, size: Tensor) -> Tensor:
        """Image as normalized by the data preprocessor, zero outside of it."""
        preprocessor = self.model.data_preprocessor
        pixels = canvas.permute(0, 3, 1, 2).float()
        if not preprocessor._channel_conversion:
            pixels = pixels.flip(1)  # the model was trained on BGR
        if preprocessor._enable_normalize:
            pixels = (pixels - preprocessor.mean) / preprocessor.std
        rows = torch.arange(self.canvas[0], device=canvas.device) < size[0]
        columns = torch.arange(self.canvas[1], device=canvas.device) < size[1]
        return pixels * (rows[:, None] & columns[None])

    def _candidates(
        self, head: Any, cfg: ConfigDict, features: tuple[Tensor, ...], size: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The best anchors of each level: boxes, scores, labels and levels."""
        levels = list(zip(*head(features), strict=True))
        priors = head.prior_generator.grid_priors(
            [cls.shape[-2:] for cls, _ in levels], dtype=levels[0][0].dtype, device=size.device
        )
        found = []
        for level, ((cls, reg), anchors) in enumerate(zip(levels, priors, strict=True)):
            scores = _per_anchor(cls[0], head.cls_out_channels).sigmoid()
            limit = cfg.get('nms_pre', -1)
            count = scores.numel() if limit < 0 else min(limit, scores.numel())
            best, index = scores.flatten().topk(count)
            anchor, label = index // head.cls_out_channels, index % head.cls_out_channels
            deltas = _per_anchor(reg[0], 4)[anchor]
            boxes = _clamp(head.bbox_coder.decode(anchors[anchor], deltas), size)
            found.append((boxes, best, label, torch.full_like(label, level)))
        boxes, scores, labels, level_ids = (torch.cat(parts) for parts in zip(*found, strict=True))
        return boxes, scores, labels, level_ids

    def _propose(self, features: tuple[Tensor, ...], size: Tensor) -> Tensor:
        """Region proposals, (N, 4)."""
        head, cfg = self.model.rpn_head, self.model.rpn_head.test_cfg
        boxes, scores, _, levels = self._candidates(head, cfg, features, size)
        boxes = boxes[_suppress(boxes, scores, levels, cfg.nms)]
        return boxes[_large_enough(boxes, cfg)][: cfg.max_per_img]

    def _classify(
        self, features: tuple[Tensor, ...], proposals: Tensor, size: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Every proposal as every class: boxes, scores and labels."""
        roi_head = self.model.roi_head
        head = roi_head.bbox_head
        pooled = self._pool(features, proposals)
        if roi_head.with_shared_head:
            pooled = roi_head.shared_head(pooled)
        cls, reg = head(pooled)
        classes = head.num_classes
        scores = cls.softmax(dim=1)[:, :classes]
        if head.reg_class_agnostic:
            reg = reg.repeat(1, classes)
        anchors = proposals[:, None].expand(-1, classes, 4).reshape(-1, 4)
        boxes = _clamp(head.bbox_coder.decode(anchors, reg.reshape(-1, 4)), size)
        labels = torch.arange(classes, device=size.device).expand(scores.shape).reshape(-1)
        return boxes, scores.reshape(-1), labels

    def _pool(self, features: tuple[Tensor, ...], proposals: Tensor) -> Tensor:
        """RoIAlign of each proposal on the pyramid level of its size."""
        extractor = self.model.roi_head.bbox_roi_extractor
        features = features[: extractor.num_inputs]
        rois = torch.cat([torch.zeros_like(proposals[:, :1]), proposals], dim=1)
        pooled = [
            torchvision.ops.roi_align(
                feature,
                rois,
                layer.output_size,
                layer.spatial_scale,
                layer.sampling_ratio or -1,
                layer.aligned,
            )
            for layer, feature in zip(extractor.roi_layers, features, strict=True)
        ]
        if len(pooled) == 1:
            return pooled[0]
        levels = extractor.map_roi_levels(rois, len(pooled))[:, None, None, None]
        # All levels and a choice, rather than each level's own: no branch, no empty tensor.
        result = pooled[0]
        for level, values in enumerate(pooled[1:], 1):
            result = torch.where(levels == level, values, result)
        return result


def _suppress(boxes: Tensor, scores: Tensor, groups: Tensor, nms: ConfigDict) -> Tensor:
    """Indices of the boxes that NMS keeps, by descending score; NMS is per group."""
    if not nms.get('class_agnostic', False):
        boxes = boxes + groups[:, None] * (boxes.max() + 1)
    return torchvision.ops.nms(boxes, scores, nms.iou_threshold)


def _large_enough(boxes: Tensor, cfg: ConfigDict) -> Tensor:
    """Which boxes are large enough after clipping, if the config sets ``min_bbox_size``."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return (sides > cfg.get('min_bbox_size', -1)).all(dim=1)


def _per_anchor(values: Tensor, channels: int) -> Tensor:
    """(A * C, H, W) as (H * W * A, C), in the order of the anchors."""
    return values.permute(1, 2, 0).reshape(-1, channels)


def _clamp(boxes: Tensor, size: Tensor) -> Tensor:
    """Boxes clipped to the image."""
    far = torch.stack([size[1], size[0], size[1], size[0]]).to(boxes.dtype)
    return torch.minimum(boxes.clamp(min=0), far)


def _refuse_others(model: nn.Module) -> None:
    """Refuse detectors whose decoding differs from the exported graph.

    Raises:
        ConfigError: Naming the part.
    """
    if isinstance(model, TwoStageDetector):
        roi_head = model.roi_head
        parts = [
            ('rpn_head', model.rpn_head, RPNHead),
            ('roi_head', roi_head, StandardRoIHead),
            ('bbox_roi_extractor', roi_head.bbox_roi_extractor, SingleRoIExtractor),
            ('bbox_head', roi_head.bbox_head, BBoxHead),
        ]
        suppressions = [model.rpn_head.test_cfg.nms, roi_head.test_cfg.nms]
    elif isinstance(model, SingleStageDetector):
        parts = [('bbox_head', model.bbox_head, RetinaHead)]
        suppressions = [model.bbox_head.test_cfg.get('nms', {})]
    else:
        parts = [('detector', model, TwoStageDetector)]
        suppressions = []
    for name, part, known in parts:
        if not _predicts_as(part, known):
            raise ConfigError(
                f'{name} is a {type(part).__name__}, expected {known.__name__} or a subclass that '
                'predicts as it does: the export writes out its prediction'
            )
    for nms in suppressions:
        if nms.get('type', 'nms') != 'nms':
            raise ConfigError(f'the config suppresses boxes by {nms.type}, expected nms')


def _predicts_as(part: nn.Module, known: type[nn.Module]) -> bool:
    """Whether a module is of a class, or of a subclass that inherits all of its prediction."""
    return isinstance(part, known) and all(
        getattr(type(part), method, None) is getattr(known, method, None) for method in PREDICTION
    )


class Resizing(NamedTuple):
    """How the test pipeline resizes images.

    Attributes:
        scale: Maximum longer and shorter side, in pixels.
        interpolation: Of ``mmcv.imrescale``, such as ``'bilinear'`` or ``'area'``.
    """

    scale: tuple[int, int]
    interpolation: str = 'bilinear'


def resizing_of(model: nn.Module) -> Resizing:
    """How the test pipeline of a detector resizes images.

    Raises:
        ConfigError: In a way that an exported detector cannot follow.
    """
    cfg: Any = model.cfg
    steps = [s for s in get_test_pipeline_cfg(cfg.copy()) if s.type.endswith('Resize')]
    step = steps[0] if len(steps) == 1 else {}
    if not step.get('keep_ratio') or 'scale' not in step or step.get('backend', 'cv2') != 'cv2':
        raise ConfigError(
            "the test pipeline needs one Resize with a scale, keep_ratio=True and backend='cv2'"
        )
    scale = max(step['scale']), min(step['scale'])
    return Resizing(scale, step.get('interpolation', 'bilinear'))


def export_onnx(detector: PlateDetector, out: str | Path) -> Path:
    """Write a detector as one ONNX file; classes and resizing are in its metadata.

    Args:
        detector: Faster R-CNN or RetinaNet.
        out: The file; weights of more than 2 GB are stored beside it.

    Raises:
        ConfigError: Another kind of detector, or a file that exists or does not end in .onnx.
    """
    out = Path(out)
    if out.suffix != '.onnx':
        raise ConfigError(f'{out}: expected a name that ends in .onnx')
    check_out(out)
    resizing = resizing_of(detector.model)
    divisor = detector.model.data_preprocessor.pad_size_divisor
    side = -(-resizing.scale[0] // divisor) * divisor  # square: images come lying and standing
    model = WholeDetector(detector.model, (side, side))
    device = next(detector.model.parameters()).device
    # Noise, so that there are detections: shapes that depend on values are traced.
    noise = torch.randint(0, 256, (1, side, side, 3), dtype=torch.uint8, device=device)
    size = torch.tensor([side, side], device=device)
    with warnings.catch_warnings(), torch.no_grad(), _quiet('torch.onnx', 'onnxscript'):
        warnings.simplefilter('ignore')  # the exporter's warnings about operators
        program = torch.onnx.export(
            model,
            (noise, size, 2 * size),
            input_names=['canvas', 'size', 'original'],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    metadata = {
        'classes': list(detector.classes),
        'canvas': [side, side],
        'scale': list(resizing.scale),
        'interpolation': resizing.interpolation,
    }
    assert program is not None  # as it is with dynamo=True
    program.model.metadata_props['mmdet_cleargrasp'] = json.dumps(metadata)
    return write_atomically(out, program.model_proto.SerializeToString())


def check_out(out: str | Path) -> None:
    """Refuse a file that cannot be written or that exists.

    Args:
        out: The file to write.

    Raises:
        ConfigError: It exists, or its folder cannot be written to.
    """
    refuse_unwritable(out, 'output')
    if os.path.lexists(out):
        raise ConfigError(f'{out} exists, and nothing is overwritten: name another file')


def require_packages() -> None:
    """Refuse to start without the packages that an export needs.

    Raises:
        ConfigError: A package of the extra ``export`` is not installed.
    """
    for name in ('onnx', 'onnxscript', 'onnxruntime'):
        if importlib.util.find_spec(name) is None:
            raise ConfigError(f"{name} is missing: pip install 'mmdet_cleargrasp[export]'")


class OnnxPlateDetector:
    """Finds plates with an exported file and onnxruntime.

    Args:
        path: What :func:`export_onnx` wrote.

    Attributes:
        classes: Names by class id.
        resizing: How an image is resized.
        canvas: Height and width of the input.
    """

    def __init__(self, path: str | Path) -> None:
        import onnxruntime

        self.session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
        metadata = self.session.get_modelmeta().custom_metadata_map['mmdet_cleargrasp']
        content = json.loads(metadata)
        self.classes = tuple(content['classes'])
        self.canvas = tuple(content['canvas'])
        self.resizing = Resizing(tuple(content['scale']), content['interpolation'])

    def __call__(self, image: np.ndarray) -> sv.Detections:
        """Find plates.

        Args:
            image: uint8 (H, W, 3), RGB.

        Returns:
            As :class:`.PlateDetector` gives them with ``per_class=True``, above the config's lowest
            score.
        """
        canvas, size = to_canvas(image, self.resizing, self.canvas)
        inputs = {
            'canvas': canvas,
            'size': np.array(size, np.int64),
            'original': np.array(image.shape[:2], np.int64),
        }
        boxes, scores, labels = self.session.run(OUTPUTS, inputs)
        return sv.Detections(
            xyxy=boxes,
            confidence=scores,
            class_id=labels.astype(int),
            data={'class_name': np.array(self.classes, dtype=object)[labels].astype(str)},
        )


def to_canvas(
    image: np.ndarray, resizing: Resizing, canvas: tuple[int, int]
) -> tuple[np.ndarray, tuple[int, int]]:
    """Resize an image to fit and pad it to the canvas with black.

    Args:
        image: uint8 (H, W, 3), RGB.
        resizing: As in the test pipeline.
        canvas: Height and width.

    Returns:
        uint8 (1, *canvas, 3), and height and width of the image within it.

    Example:
        >>> laid, size = to_canvas(np.ones((30, 60, 3), np.uint8), Resizing((120, 80)), (128, 128))
        >>> laid.shape, size
        ((1, 128, 128, 3), (60, 120))
    """
    small = mmcv.imrescale(image, resizing.scale, interpolation=resizing.interpolation)
    laid = np.zeros((1, *canvas, 3), np.uint8)
    laid[0, : small.shape[0], : small.shape[1]] = small
    return laid, small.shape[:2]


@dataclass(frozen=True)
class Difference:
    """How much the results of an ONNX file and of MMDetection differ on one image.

    Attributes:
        detections: How many MMDetection found.
        unmatched: Detections of one that have no match in the other.
        unmatched_score: The highest score of these; 0 without any.
        score: The largest difference of scores.
        box: The largest difference of a box's side, in pixels of the image.
    """

    detections: int
    unmatched: int
    unmatched_score: float
    score: float
    box: float

    def within(self, score: float, box: float) -> bool:
        """Whether differences are within the tolerances, except for one detection in fifty.

        If the IoU of two boxes is almost exactly the NMS threshold, the last bit decides which one
        is kept.
        """
        allowed = 2 * (self.detections // 50)  # one is missing on each side
        return self.score <= score and self.box <= box and self.unmatched <= allowed


def check(
    path: str | Path, detector: PlateDetector, pictures: Iterable[Picture]
) -> dict[str, Difference]:
    """Compare an ONNX file with MMDetection on images, one by one.

    Args:
        path: What :func:`export_onnx` wrote.
        detector: The detector that was exported.
        pictures: The images.

    Returns:
        By the images' names.

    Raises:
        DataError: An image cannot be read.
    """
    exported = OnnxPlateDetector(path)
    return {picture.name: compare(exported, detector, picture.read()) for picture in pictures}


def describe(checks: dict[str, Difference]) -> str:
    """Differences as a table of text, the largest of all in its last line.

    Args:
        checks: Of :func:`check`.

    Example:
        >>> print(describe({'a.jpg': Difference(7, 0, 0.0, 2e-6, 0.001)}))
        image    detections  unmatched  best unmatched  score     box (px)
        a.jpg    7           0          0.00            2.00e-06  1.00e-03
        largest  7           0          0.00            2.00e-06  1.00e-03
    """
    worst = Difference(
        *(max(column) for column in zip(*map(astuple, checks.values()), strict=True))
    )
    lines = [('image', 'detections', 'unmatched', 'best unmatched', 'score', 'box (px)')]
    for name, found in [*checks.items(), ('largest', worst)]:
        figures = (f'{found.unmatched_score:.2f}', f'{found.score:.2e}', f'{found.box:.2e}')
        lines.append((name, str(found.detections), str(found.unmatched), *figures))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ('  '.join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return '\n'.join(line.rstrip() for line in table)


def compare(exported: OnnxPlateDetector, detector: PlateDetector, image: np.ndarray) -> Difference:
    """Compare an ONNX file with MMDetection's own prediction on the same canvas.

    Args:
        exported: The file.
        detector: The detector that was exported.
        image: uint8 (H, W, 3), RGB.
    """
    return match(exported(image), _predict_on_canvas(exported, detector.model, image))


def match(ours: sv.Detections, theirs: sv.Detections) -> Difference:
    """Match the detections of two runtimes on one image.

    Args:
        ours: Of the one.
        theirs: Of the other, the reference.
    """
    iou: np.ndarray = np.zeros((len(theirs), len(ours)))
    if len(ours) and len(theirs):
        iou = sv.box_iou_batch(theirs.xyxy, ours.xyxy)
    our_labels, their_labels = labels_of(ours), labels_of(theirs)
    our_scores, their_scores = scores_of(ours), scores_of(theirs)
    pairs, free = [], set(range(len(ours)))
    for index in range(len(theirs)):
        same = [k for k in free if our_labels[k] == their_labels[index]]
        best = max(same, key=iou[index].__getitem__, default=None)
        if best is not None and iou[index, best] > MATCH_IOU:
            pairs.append((index, best))
            free.remove(best)
    matched = {index for index, _ in pairs}
    alone = [float(their_scores[k]) for k in range(len(theirs)) if k not in matched]
    alone += [float(our_scores[k]) for k in free]
    their_index = [index for index, _ in pairs]
    our_index = [index for _, index in pairs]
    return Difference(
        len(theirs),
        len(alone),
        max(alone, default=0.0),
        _largest(their_scores[their_index] - our_scores[our_index]),
        _largest(theirs.xyxy[their_index] - ours.xyxy[our_index]),
    )


def _predict_on_canvas(exported: OnnxPlateDetector, model: Any, image: np.ndarray) -> sv.Detections:
    """MMDetection's whole prediction of an image that is padded to the canvas."""
    canvas, size = to_canvas(image, exported.resizing, exported.canvas)
    rgb = torch.from_numpy(canvas[0, : size[0], : size[1]])
    sample = DetDataSample(
        metainfo={
            'ori_shape': image.shape[:2],
            'img_shape': size,
            'scale_factor': (size[1] / image.shape[1], size[0] / image.shape[0]),
        }
    )
    data = {'inputs': [rgb.permute(2, 0, 1).flip(0)], 'data_samples': [sample]}
    data = model.data_preprocessor(data, training=False)
    pixels = data['inputs']
    missing = [exported.canvas[1] - pixels.shape[3], exported.canvas[0] - pixels.shape[2]]
    pixels = nn.functional.pad(pixels, (0, missing[0], 0, missing[1]))
    sample.set_metainfo({'batch_input_shape': exported.canvas})
    with torch.no_grad():
        return sv.Detections.from_mmdetection(model.predict(pixels, data['data_samples'])[0])


def _largest(differences: np.ndarray) -> float:
    return float(np.abs(differences).max(initial=0))


@contextlib.contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Silence loggers below errors."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
