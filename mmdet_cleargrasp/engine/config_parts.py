"""Parts of a config that several modules use: data sets, heads, checkpoint files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import ConfigDict


def innermost_dataset(dataloader: dict[str, Any]) -> ConfigDict:
    """The dataset of a dataloader's config, inside wrappers such as ``RepeatDataset``.

    Example:
        >>> coco = dict(type='CocoDataset')
        >>> innermost_dataset(dict(dataset=dict(type='RepeatDataset', times=2, dataset=coco)))
        {'type': 'CocoDataset'}
    """
    dataset = dataloader['dataset']
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def transform_types(dataloader: dict[str, Any]) -> list[str]:
    """Types of a dataset's transforms in their order, those of its wrappers included.

    Example:
        >>> coco = dict(type='CocoDataset', pipeline=[dict(type='LoadPhotograph')])
        >>> flips = [dict(type='RandomFlip')]
        >>> transform_types(
        ...     dict(dataset=dict(type='MultiImageMixDataset', dataset=coco, pipeline=flips))
        ... )
        ['LoadPhotograph', 'RandomFlip']
    """
    dataset = dataloader['dataset']
    inner = transform_types(dataset) if 'dataset' in dataset else []
    return inner + [step['type'] for step in dataset.get('pipeline') or []]


def repeats(dataloader: dict[str, Any]) -> int:
    """Number of passes over a data set per epoch, from its wrappers.

    Example:
        >>> repeats(dict(dataset=dict(type='RepeatDataset', times=2, dataset=dict())))
        2
    """
    dataset, times = dataloader['dataset'], 1
    while 'dataset' in dataset:
        times *= dataset.get('times', 1)
        dataset = dataset['dataset']
    return times


def evaluators(cfg: dict[str, Any], loop: str) -> list[dict[str, Any]]:
    """The evaluators of a loop; a config may hold one, a list, or none.

    Example:
        >>> evaluators(dict(val_evaluator=dict(type='CocoMetric')), 'val')
        [{'type': 'CocoMetric'}]
    """
    found = cfg.get(f'{loop}_evaluator') or []
    return list(found) if isinstance(found, list | tuple) else [found]


def class_heads(model: Any) -> Iterator[dict[str, Any]]:
    """The parts of a model's config that have ``num_classes``.

    The region proposal network is not among them: it has one class, object, whatever the data.

    Example:
        >>> model = dict(bbox_head=dict(num_classes=80), rpn_head=dict(num_classes=1))
        >>> list(class_heads(model))
        [{'num_classes': 80}]
    """
    if isinstance(model, dict):
        if 'num_classes' in model:
            yield model
        children = [value for key, value in model.items() if key != 'rpn_head']
    else:
        children = list(model) if isinstance(model, list | tuple) else []
    for child in children:
        yield from class_heads(child)


def checkpoint_init_cfg(module: dict[str, Any]) -> dict[str, Any]:
    """The part of a backbone's or detector's ``init_cfg`` that loads a file; empty without one.

    Example:
        >>> checkpoint_init_cfg(dict(init_cfg=[dict(type='Kaiming')]))
        {}
    """
    entries = module.get('init_cfg') or []
    entries = [entries] if isinstance(entries, dict) else entries
    return next((entry for entry in entries if entry.get('checkpoint')), {})
