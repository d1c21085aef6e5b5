"""Registers every type of this package with MMDetection by importing its module.

MMDetection's registries import it at their first look-up; see :mod:`.compat.registries`.
"""

from . import checkpoints, models
from .compat.inferencer import patch_inferencer
from .datasets import augmentation, composition, loading
from .engine import hooks, mixed_precision, resuming
from .evaluation import coco_metric

patch_inferencer(loading.LoadPhotograph)

__all__ = [
    'augmentation',
    'checkpoints',
    'coco_metric',
    'composition',
    'hooks',
    'loading',
    'mixed_precision',
    'models',
    'resuming',
]
