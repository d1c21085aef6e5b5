"""Backbones: each returns a tuple of feature maps, see :class:`.base.Backbone`."""

from .alexnet import AlexNet
from .drn import ClearGraspDRN
from .frozen import FreezableBackbone
from .resnet import ClearGraspResNet
from .timm_backbone import TimmBackbone

__all__ = ['AlexNet', 'ClearGraspDRN', 'ClearGraspResNet', 'FreezableBackbone', 'TimmBackbone']
