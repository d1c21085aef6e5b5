"""Networks: backbones that can be frozen, and dense heads with a cheaper backward pass."""

from . import backbones, convolution, dense_heads, torchvision_anchors

__all__ = ['backbones', 'convolution', 'dense_heads', 'torchvision_anchors']
