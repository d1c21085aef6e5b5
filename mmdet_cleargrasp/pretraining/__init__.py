"""ClearGrasp's pretraining: mask, outlines and surface normals of transparent objects.

Configs register its types with ``custom_imports=dict(imports=['mmdet_cleargrasp.pretraining'])``.
"""

from . import augmentation, transforms
from .dataset import ClearGraspDataset
from .distillation import DistilledClearGraspNetwork
from .hooks import BackboneFileHook, PicturesHook
from .metrics import PretrainingMetric
from .network import ClearGraspNetwork

__all__ = [
    'BackboneFileHook',
    'ClearGraspDataset',
    'ClearGraspNetwork',
    'DistilledClearGraspNetwork',
    'PicturesHook',
    'PretrainingMetric',
    'augmentation',
    'transforms',
]
