"""Backbone files: read without running anything, recognised, loaded all or nothing."""

from .families import Family, recognise
from .loading import BackboneFile, ClearGraspCheckpoint, check_fit, load_backbone, open_backbone
from .reading import read_checkpoint

__all__ = [
    'BackboneFile',
    'ClearGraspCheckpoint',
    'Family',
    'check_fit',
    'load_backbone',
    'open_backbone',
    'read_checkpoint',
    'recognise',
]
