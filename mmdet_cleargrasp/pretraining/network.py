"""Pretraining network: a dense backbone, DeepLabv3+'s decoder and one head per task."""

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

#: DeepLabv3's dilations of atrous spatial pyramid pooling (ASPP), by output stride.
ATROUS_RATES = {8: (12, 24, 36), 16: (6, 12, 18), 32: (3, 6, 9)}
#: Submodules of ClearGrasp's network; others, such as a teacher, are for training alone.
PARTS = ('backbone', 'aspp', 'decoder', 'heads')
#: Channels to which the decoder reduces the low-level map.
LOW_LEVEL_CHANNELS = 48


class Decoder(nn.Module):
    """DeepLabv3+'s decoder, which refines the ASPP output with the map of the first stage.

    Args:
        low_level: Channels of the first stage's map.
        channels: Channels of the ASPP output and of the decoder's output.

    Source: Chen et al., Encoder-Decoder with Atrous Separable Convolution, ECCV 2018,
    https://arxiv.org/abs/1802.02611.

    Example:
        >>> decoder = Decoder(low_level=64, channels=32).eval()
        >>> decoder(torch.rand(1, 64, 16, 16), torch.rand(1, 32, 8, 8)).shape
        torch.Size([1, 32, 16, 16])
    """

    def __init__(self, low_level: int, channels: int) -> None:
        super().__init__()
        self.reduce = _convolution(low_level, LOW_LEVEL_CHANNELS, 1)
        self.fuse = nn.Sequential(
            _convolution(channels + LOW_LEVEL_CHANNELS, channels, 3),
            _convolution(channels, channels, 3),
        )

    def forward(self, low_level: Tensor, x: Tensor) -> Tensor:
        """Upsample the ASPP output to the size of the low-level map and fuse both.

        Args:
            low_level: Map of the first stage, (N, low_level, H, W).
            x: ASPP output, (N, channels, h, w).

        Returns:
            Decoded map, (N, channels, H, W).
        """
        x = F.interpolate(x, low_level.shape[2:], mode='bilinear', align_corners=False)
        return self.fuse(torch.cat([x, self.reduce(low_level)], dim=1))


@MODELS.register_module()
class ClearGraspNetwork(BaseModel):
    """Predict masks, outlines and surface normals with a shared backbone and decoder.

    ClearGrasp trains one network per task, which is the case of a single entry in ``tasks``.

    Args:
        backbone: Config of a backbone of this plugin, dense at its trained stride. The first and
            the last of its maps are used.
        tasks: Loss weight of each task to train, of ``'mask'``, ``'outlines'`` and ``'normals'``.
        channels: Channels of ASPP and decoder; ClearGrasp uses 256.
        outline_weights: Class weights of the outlines' cross entropy, for background, depth
            boundary and contact edge.
        channels_last: Use the channels-last memory format, which is faster on CPUs.
        data_preprocessor: Config of an mmengine data preprocessor.
        init_cfg: As in mmengine's ``BaseModule``.

    Raises:
        ValueError: ``tasks`` is empty or contains an unknown task.

    Source: The three networks of https://github.com/Shreeyak/cleargrasp, joined; losses as in
    Sajjan et al., ClearGrasp, ICRA 2020, https://arxiv.org/abs/1910.02550.

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
            **targets: Ground truth by task, see :func:`.task_loss`, for ``'loss'``; other entries
                of a batch, such as paths, are ignored.

        Returns:
            ``'tensor'``: logits by task, (N, C, H, W). ``'loss'``: losses by name, such as
            ``loss_mask``. ``'predict'``: one dict per image with class indices, int64 (H, W), and
            unit normals, float (3, H, W), by task.
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
