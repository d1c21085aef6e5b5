"""Drawings of the samples that a run works on: images of a pipeline, and answers of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from ..models.postprocessing import class_agnostic_nms
from ..visualization.contact_sheets import Drawing


def as_picture(inputs: torch.Tensor) -> np.ndarray:
    """The image that a pipeline packed, as a picture.

    Args:
        inputs: uint8 or float (3, H, W) in BGR order, with values from 0 to 255.

    Returns:
        uint8 (H, W, 3), RGB.

    Example:
        >>> blue = torch.tensor([255.0, 0.0, 0.0]).reshape(3, 1, 1)
        >>> as_picture(blue).tolist()
        [[[0, 0, 255]]]
    """
    image = inputs.cpu().numpy().transpose(1, 2, 0)[..., ::-1]
    return np.ascontiguousarray(image.clip(0, 255).astype(np.uint8))


def training_drawing(packed: Mapping[str, Any]) -> Drawing:
    """What a training pipeline made of an image, with its boxes.

    Args:
        packed: Of ``PackDetInputs``.
    """
    image, sample = as_picture(packed['inputs']), packed['data_samples']
    name, flip = Path(sample.get('img_path', '')).name, sample.get('flip_direction')
    title = ' '.join(
        str(part) for part in (name, f'{image.shape[1]}x{image.shape[0]}', flip) if part
    )
    return _drawing(image, sample.gt_instances, title)


def answer_drawings(inputs: torch.Tensor, sample: DetDataSample, score_thr: float) -> list[Drawing]:
    """An image of validation with its ground truth, and the same with the answers.

    Args:
        inputs: As packed; (3, H, W), BGR.
        sample: With predictions in pixels of the image's file.
        score_thr: Answers with lower scores are not drawn.
    """
    image, name = as_picture(inputs), Path(sample.get('img_path', '')).name
    found = sample.pred_instances
    found = found[class_agnostic_nms(found.bboxes, found.scores)]
    found = found[found.scores >= score_thr]
    width_factor, height_factor = sample.metainfo.get('scale_factor', (1.0, 1.0))[:2]
    scale = np.array([width_factor, height_factor] * 2)
    truth = sample.get('gt_instances')
    drawings = []
    if truth is not None and 'bboxes' in truth:  # empty without LoadAnnotations
        drawings.append(_drawing(image, truth, f'annotated: {len(truth)}, {name}', scale))
    answers = f'answers, score ≥ {score_thr:.2f}: {len(found)}'
    return [*drawings, _drawing(image, found, answers, scale)]


def class_names(dataset: Any, drawings: Sequence[Drawing]) -> list[str]:
    """Names for the labels of drawings; numbers where a data set has no names.

    Args:
        dataset: Of mmengine.
        drawings: With labels.
    """
    names = list((getattr(dataset, 'metainfo', None) or {}).get('classes') or ())
    labels = [int(label) for drawing in drawings for label in drawing.labels]
    return names + [f'class {k}' for k in range(len(names), max(labels, default=-1) + 1)]


def _drawing(
    image: np.ndarray, instances: InstanceData, title: str, scale: np.ndarray | float = 1.0
) -> Drawing:
    boxes = getattr(instances.bboxes, 'tensor', instances.bboxes).cpu().numpy()
    scores = instances.scores.cpu().numpy() if 'scores' in instances else None
    return Drawing(image, boxes * scale, instances.labels.cpu().numpy(), title, scores)
