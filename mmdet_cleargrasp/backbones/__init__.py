"""Backbones: each returns a tuple of maps and publishes ``out_channels`` and ``out_strides``."""

from .resnet import ClearGraspResNet

__all__ = ['ClearGraspResNet']
