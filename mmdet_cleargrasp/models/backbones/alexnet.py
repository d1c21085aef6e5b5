"""AlexNet's convolutional layers as a backbone with a single feature map."""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor, nn

from .frozen import FreezableBackbone


@MODELS.register_module()
class AlexNet(FreezableBackbone):
    """torchvision's AlexNet up to its last convolution: one map of 256 channels at stride 16.

    Detectors use it without a feature pyramid: ``neck=None``, all anchors on one level.
    AlexNet's max pooling has no padding, so each side of the map is one position shorter than the
    image's side divided by 16. Images need at least 63 pixels per side.

    Args:
        frozen: Keep the weights fixed: no gradients, forward without autograd. Training raises
            ``CheckpointError`` if no weights were loaded.
        init_cfg: Initialization, such as ``dict(type='ClearGraspCheckpoint',
            checkpoint='checkpoints/alexnet.pth')`` for torchvision's file; ``None`` for PyTorch's
            random initialization.

    Attributes:
        out_channels: Number of channels of the map: ``(256,)``.
        out_strides: Stride of the map in input pixels: ``(16,)``.

    Source: Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014,
    https://arxiv.org/abs/1404.5997, as in torchvision.

    Example:
        >>> import torch
        >>> from mmdet_cleargrasp.models.backbones import AlexNet
        >>> [tuple(level.shape) for level in AlexNet().eval()(torch.rand(1, 3, 128, 192))]
        [(1, 256, 7, 11)]
    """

    def __init__(self, frozen: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        # Torchvision's last max pooling is omitted: it would double the stride to 32.
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.out_channels, self.out_strides = (256,), (16,)
        self.freeze(frozen)

    def forward_features(self, x: Tensor) -> tuple[Tensor]:
        """Compute the feature map.

        Args:
            x: Normalized images, (N, 3, H, W), float; torchvision's weights expect
                ImageNet's mean and standard deviation.

        Returns:
            One map, (N, 256, H // 16 - 1, W // 16 - 1) if H and W are multiples of 32.
        """
        return (self.features(x),)
