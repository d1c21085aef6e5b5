"""Hooks that runs call."""

from .curves_hook import CurvesHook
from .drawing_hook import PlateVisualizationHook
from .feature_cache_hook import FeatureCacheHook
from .finite_loss_hook import FiniteLossHook
from .freeze_hook import FreezeBackboneHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .runtime_hook import RuntimeHook
from .sample_pictures_hook import SamplePicturesHook
from .working_threshold_hook import WorkingThresholdHook

__all__ = [
    'CurvesHook',
    'FeatureCacheHook',
    'FiniteLossHook',
    'FreezeBackboneHook',
    'PlainCheckpointHook',
    'PlateVisualizationHook',
    'RuntimeHook',
    'SamplePicturesHook',
    'WorkingThresholdHook',
]
