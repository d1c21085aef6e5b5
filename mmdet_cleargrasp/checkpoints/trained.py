"""Check that a detector's checkpoint fits a model and its classes, before it is loaded.

mmengine loads the tensors that fit and only warns about the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ..utils.errors import CheckpointError
from .reading import read_checkpoint
from .state_dicts import find_problems

#: Word for tensors with invalid values in the texts of :func:`.find_problems`.
UNUSABLE = 'unusable'
#: Maximum number of characters of a list of classes in a message; the names come from a file.
LONGEST_LIST = 1000


def check_trained(
    path: str | Path, module: nn.Module, classes: Sequence[str] = ()
) -> tuple[str, ...]:
    """Compare a detector's checkpoint with a model and its classes.

    Args:
        path: Checkpoint written by ``tools/train.py`` or by MMDetection.
        module: Detector; its values are not read, so it may be on the ``'meta'`` device.
        classes: Class names of the model, in the order of its outputs; empty to skip the
            comparison.

    Returns:
        Class names in the checkpoint; empty if it has none.

    Raises:
        CheckpointError: The file cannot be read, has no state dict or malformed metadata, has
            missing, unexpected, differently shaped or NaN tensors, or was trained on other classes.
    """
    content = read_checkpoint(path)
    if not isinstance(content, dict) or not isinstance(content.get('state_dict'), dict):
        raise CheckpointError(
            f"{path} has no state_dict: expected a detector's checkpoint, as tools/train.py writes "
            'it (a backbone file belongs in init_cfg.checkpoint)'
        )
    names = [name for name in content['state_dict'] if not isinstance(name, str)]
    if names:
        raise CheckpointError(f'{path}: its state_dict has the key {names[0]!r}, expected names')
    expected = module.state_dict()
    problems = find_problems(content['state_dict'], expected)
    if problems:
        unusable = all(UNUSABLE in problem for problem in problems)
        raise CheckpointError(
            f'{path} does not fit the model of this config ({len(expected)} tensors): '
            f'{"; ".join(problems)}. Nothing was loaded. '
            + (
                'Its training had diverged, or the file was changed: use an earlier checkpoint.'
                if unusable
                else 'Use the config in the work dir of the run that wrote it.'
            )
        )
    trained = trained_classes(path, content)
    if trained and classes and trained != tuple(classes):
        raise CheckpointError(
            f'{path} was trained for the classes {_shortened(trained)}, the config and data have '
            f'{_shortened(tuple(classes))}. To fine-tune it on other classes, set '
            f"model.init_cfg=dict(type='DetectorCheckpoint', checkpoint='{path}', "
            'classes=classes) instead of load_from.'
        )
    return trained


def _shortened(classes: tuple[str, ...]) -> str:
    text = str(classes)
    return text if len(text) <= LONGEST_LIST else f'{text[:LONGEST_LIST]}...'


def trained_classes(path: str | Path, content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the class names in the metadata of a detector's checkpoint.

    Args:
        path: Path of the file, for the message.
        content: Content of the file, from :func:`.read_checkpoint`.

    Returns:
        Names in the order of the outputs; empty if the file has none.

    Raises:
        CheckpointError: The metadata is malformed.

    Example:
        >>> trained_classes('a.pth', {'meta': {'dataset_meta': {'classes': ['petri_dish']}}})
        ('petri_dish',)
    """
    meta = content.get('meta')
    if not isinstance(meta, Mapping | None):
        raise CheckpointError(f'{path}: its meta is a {type(meta).__name__}, expected a dict')
    meta = meta or {}
    dataset = meta.get('dataset_meta') or meta  # MMDetection 2 has the classes in meta itself
    if not isinstance(dataset, Mapping):
        raise CheckpointError(
            f'{path}: its meta.dataset_meta is a {type(dataset).__name__}, expected a dict'
        )
    classes = dataset.get('classes') or dataset.get('CLASSES') or ()
    classes = (classes,) if isinstance(classes, str) else classes
    if not isinstance(classes, list | tuple) or not all(isinstance(c, str) for c in classes):
        raise CheckpointError(
            f'{path}: its meta.dataset_meta.classes is {str(classes)[:60]}, expected a list of '
            'names. Write the file again with meta=dict(dataset_meta=dict(classes=[...])).'
        )
    return tuple(classes)
