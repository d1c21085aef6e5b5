"""The network of the pretraining: a dense backbone, DeepLabv3+'s decoder, a head for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import ASPP

from .tasks import CHANNELS, predict, task_loss

#: Dilations of the spatial pyramid by output stride, as DeepLabv3 has them.
ATROUS_RATES = {8: (12, 24, 36), 16: (6, 12, 18), 32: (3, 6, 9)}
LOW_LEVEL_CHANNELS = 48


class Decoder(nn.Module):
    """DeepLabv3+'s decoder: what the pyramid saw, sharpened by the maps of the first stage.

    Args:
        low_level: Channels of the first stage's map.
        channels: Of the pyramid's output and of the result.

    Source: Chen et al., Encoder-Decoder with Atrous Separable Convolution, ECCV 2018,
    https://arxiv.org/abs/1802.02611.
    """

    def __init__(self, low_level: int, channels: int) -> None:
        super().__init__()
        self.reduce = _convolution(low_level, LOW_LEVEL_CHANNELS, 1)
        self.fuse = nn.Sequential(
            _convolution(channels + LOW_LEVEL_CHANNELS, channels, 3),
            _convolution(channels, channels, 3),
        )

    def forward(self, low_level: Tensor, x: Tensor) -> Tensor:
        """Fuse (N, low_level, H, W) and (N, channels, h, w) into (N, channels, H, W)."""
        x = F.interpolate(x, low_level.shape[2:], mode='bilinear', align_corners=False)
        return self.fuse(torch.cat([x, self.reduce(low_level)], dim=1))


@MODELS.register_module()
class ClearGraspNetwork(BaseModel):
    """Backbone, decoder and heads for mask, outlines and normals, in one pass of the backbone.

    Args:
        backbone: Config of a backbone of this plugin that returns its first and its last
            map (and others, which are not used), dense at its trained stride.
        tasks: The weight of each task's loss, of ``'mask'``, ``'outlines'``
            and ``'normals'``; one task alone is ClearGrasp's way, all three share the decoder.
        channels: Of decoder and spatial pyramid; ClearGrasp has 256.
        outline_weights: Cross entropy's weights of background, depth boundary
            and contact edge.
        channels_last: Keep tensors channels-last, which CPUs compute faster.
        data_preprocessor: Config of mmengine's.
        init_cfg: As in mmengine.

    Raises:
        ValueError: An unknown task, or none.

    Source: the joint form of the three networks in https://github.com/Shreeyak/cleargrasp; losses
    as in Sajjan et al., ClearGrasp, ICRA 2020, https://arxiv.org/abs/1910.02550.

    Example:
        >>> import torch
        >>> backbone = dict(type='ClearGraspResNet', depth=18, trained_stride=16, output_stride=16,
        ...                 out_indices=(0, 3), frozen=False, norm_eval=False)
        >>> network = ClearGraspNetwork(backbone, tasks=dict(mask=1.0, normals=2.0), channels=32)
        >>> {task: tuple(t.shape) for task, t in network(torch.rand(2, 3, 64, 64)).items()}
        {'mask': (2, 2, 64, 64), 'normals': (2, 3, 64, 64)}
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        tasks: Mapping[str, float],
        channels: int = 256,
        outline_weights: tuple[float, ...] = (1.0, 5.0, 5.0),
        channels_last: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if not tasks or not set(tasks) <= set(CHANNELS):
            raise ValueError(f'tasks={dict(tasks)}, expected weights for some of {list(CHANNELS)}')
        self.tasks = dict(tasks)
        self.backbone = MODELS.build(backbone)
        low_level, *_, high_level = self.backbone.out_channels
        rates = ATROUS_RATES[self.backbone.out_strides[-1]]
        self.aspp = ASPP(high_level, rates, channels)
        self.decoder = Decoder(low_level, channels)
        self.heads = nn.ModuleDict({task: nn.Conv2d(channels, CHANNELS[task], 1) for task in tasks})
        self.register_buffer('outline_weights', torch.tensor(outline_weights), persistent=False)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.to(memory_format=self.memory_format)

    def forward(
        self, inputs: Tensor, mode: str = 'tensor', **targets: Tensor
    ) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Compute predictions or losses.

        Args:
            inputs: Normalized images, (N, 3, H, W), float.
            mode: ``'tensor'``, ``'loss'`` or ``'predict'``, as in mmengine.
            **targets: Ground truth by task, see :func:`.task_loss`; anything else, such
                as the samples' names, is left alone.

        Returns:
            Logits by task at the input's size; losses
            by name; or, to predict, one dict an image of class indices (H, W) and normals
            (3, H, W).
        """
        maps = self.backbone(inputs.contiguous(memory_format=self.memory_format))
        logits = self._logits(maps, inputs.shape[2:])
        if mode == 'tensor':
            return logits
        if mode == 'loss':
            return self._losses(inputs, maps, logits, targets)
        predicted = {task: predict(task, value) for task, value in logits.items()}
        return [{task: p[i] for task, p in predicted.items()} for i in range(len(inputs))]

    def _logits(self, maps: Sequence[Tensor], size: torch.Size) -> dict[str, Tensor]:
        x = self.decoder(maps[0], self.aspp(maps[-1]))
        return {
            task: F.interpolate(head(x), size, mode='bilinear', align_corners=False)
            for task, head in self.heads.items()
        }

    def _losses(
        self,
        inputs: Tensor,
        maps: Sequence[Tensor],
        logits: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        return {f'loss_{t}': self._loss(t, values, targets[t]) for t, values in logits.items()}

    def _loss(self, task: str, logits: Tensor, target: Tensor) -> Tensor:
        weights = self.outline_weights if task == 'outlines' else None
        return self.tasks[task] * task_loss(task, logits, target, weights)


def _convolution(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
