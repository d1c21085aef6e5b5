"""Checkpoint files of backbones and detectors: read safely, recognized and loaded strictly."""

from .detectors import DetectorCheckpoint, describe_fit, fit_detector, open_detector
from .families import Family, recognize
from .loading import BackboneFile, ClearGraspCheckpoint, check_fit, load_backbone, open_backbone
from .reading import read_checkpoint
from .trained import check_trained, trained_classes

__all__ = [
    'BackboneFile',
    'ClearGraspCheckpoint',
    'DetectorCheckpoint',
    'Family',
    'check_fit',
    'check_trained',
    'describe_fit',
    'fit_detector',
    'load_backbone',
    'open_backbone',
    'open_detector',
    'read_checkpoint',
    'recognize',
    'trained_classes',
]
