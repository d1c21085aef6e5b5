"""Backbones, dense heads, convolutions and anchors that are registered in MMDetection."""

from . import backbones, convolution, dense_heads, torchvision_anchors

__all__ = ['backbones', 'convolution', 'dense_heads', 'torchvision_anchors']
