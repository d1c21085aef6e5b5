"""Pretraining on ClearGrasp's tasks with feature distillation from another backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from .network import ClearGraspNetwork


@MODELS.register_module()
class DistilledClearGraspNetwork(ClearGraspNetwork):
    """ClearGrasp's network whose backbone also learns to predict a teacher's feature maps.

    Renders lack the variety of photographs; a teacher with ImageNet weights transfers features that
    were learned from a million of them. Each map of the backbone is projected by a 1x1 convolution
    and compared, by mean squared error, with the teacher's map of the same index, standardized per
    channel.

    Args:
        teacher: Dict with ``backbone``, the config of a backbone with the same number of maps, and
            ``mean`` and ``std`` of its input, for RGB from 0 to 255. Its weights stay fixed.
        distillation: Weight of the distillation loss.
        **options: Arguments of :class:`.ClearGraspNetwork`. The ``data_preprocessor`` has to give
            RGB images and have ``mean`` and ``std``.

    Raises:
        ValueError: Backbone and teacher have different numbers of maps.

    Source: feature distillation as in Romero et al., FitNets, ICLR 2015,
    https://arxiv.org/abs/1412.6550.

    Example:
        >>> import torch
        >>> resnet = dict(type='ClearGraspResNet', depth=18, trained_stride=16, output_stride=16,
        ...               frozen=False, norm_eval=False)
        >>> teacher = dict(backbone=resnet, mean=[127] * 3, std=[128] * 3)
        >>> network = DistilledClearGraspNetwork(
        ...     teacher=teacher, backbone=resnet, tasks=dict(mask=1.0), channels=32,
        ...     data_preprocessor=dict(type='ImgDataPreprocessor', mean=[0] * 3, std=[255] * 3))
        >>> mask = torch.zeros(2, 64, 64, dtype=torch.int64)
        >>> sorted(network(torch.rand(2, 3, 64, 64), mode='loss', mask=mask))
        ['loss_distillation', 'loss_mask']
    """

    def __init__(
        self, teacher: Mapping[str, Any], distillation: float = 1.0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.distillation = distillation
        self.teacher = MODELS.build(teacher['backbone'])
        widths = self.backbone.out_channels, self.teacher.out_channels
        if len(widths[0]) != len(widths[1]):
            raise ValueError(
                f'the backbone has {len(widths[0])} maps and its teacher {len(widths[1])}, '
                'expected the same number: set out_indices'
            )
        self.projections = nn.ModuleList(
            nn.Conv2d(own, other, 1) for own, other in zip(*widths, strict=True)
        )
        self.standardize = nn.ModuleList(
            nn.BatchNorm2d(other, affine=False, momentum=0.01) for other in widths[1]
        )
        for name in ('mean', 'std'):
            values = torch.tensor(teacher[name], dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(f'teacher_{name}', values, persistent=False)
        self.to(memory_format=self.memory_format)

    def train(self, mode: bool = True) -> DistilledClearGraspNetwork:
        """Set training or evaluation mode; the teacher stays in evaluation mode.

        Args:
            mode: ``True`` for training mode, ``False`` for evaluation mode.

        Returns:
            ``self``.
        """
        super().train(mode)
        self.teacher.eval()
        return self

    def _losses(
        self,
        inputs: Tensor,
        maps: Sequence[Tensor],
        logits: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        losses = super()._losses(inputs, maps, logits, targets)
        levels = zip(maps, self._teacher_maps(inputs), self.projections, strict=True)
        errors = [_squared_error(projection(own), target) for own, target, projection in levels]
        return losses | {'loss_distillation': self.distillation * torch.stack(errors).mean()}

    @torch.no_grad()
    def _teacher_maps(self, inputs: Tensor) -> list[Tensor]:
        """The teacher's maps, standardized per channel: predicting the mean has an error of 1."""
        images = inputs * self.data_preprocessor.std + self.data_preprocessor.mean
        images = (images - self.teacher_mean) / self.teacher_std
        maps = self.teacher(images.contiguous(memory_format=self.memory_format))
        return [norm(target) for norm, target in zip(self.standardize, maps, strict=True)]


def _squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    size = target.shape[2:]
    if predicted.shape[2:] != size:
        predicted = F.interpolate(predicted, size, mode='bilinear', align_corners=False)
    return F.mse_loss(predicted.float(), target.float())
