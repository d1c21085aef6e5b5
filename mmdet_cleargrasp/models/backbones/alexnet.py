"""AlexNet's features as a single map: the example of another backbone in a detector."""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor, nn

from .frozen import FreezableBackbone


@MODELS.register_module()
class AlexNet(FreezableBackbone):
    """torchvision's AlexNet up to its last convolution: one map of 256 channels at stride 16.

    A detector takes the map as it is, without a pyramid: ``neck=None``, all anchors on one level.
    AlexNet does not pad its pooling, so that the map is a position shorter than the image's size
    over 16; images need 63 pixels a side.

    Args:
        frozen: No gradient, forward without autograd. Training a frozen backbone into which
            no weights were loaded is refused.
        init_cfg: Where the weights come from, as in
            ``dict(type='ClearGraspCheckpoint', checkpoint='checkpoints/alexnet.pth')``, which
            reads torchvision's file; ``None`` starts from torch's random weights.

    Attributes:
        out_channels: ``(256,)``.
        out_strides: ``(16,)``.

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
        # Without torchvision's last pooling, which would make the stride 32.
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
            x: Normalized images, (N, 3, H, W), float, with ImageNet's mean and deviation
                where the weights are torchvision's.

        Returns:
            One map, (N, 256, H // 16 - 1, W // 16 - 1) for sides that 32 divides.
        """
        return (self.features(x),)
