"""Anchors of torchvision's detectors, for fine-tuning from their weights."""

from __future__ import annotations

import torch
from mmdet.models.task_modules.prior_generators import AnchorGenerator
from mmdet.registry import TASK_UTILS
from torch import Tensor


@TASK_UTILS.register_module()
class TorchvisionAnchorGenerator(AnchorGenerator):
    """Anchors as torchvision's Faster R-CNN and RetinaNet place them.

    Box regression was trained with them. They differ from MMDetection's in two ways:

    - Sizes, and the corner offsets from an anchor's center, are rounded to whole pixels.
    - The stride of a level is the image's size divided by the map's, rounded down. Map sizes are
      rounded up, so P7 of an 800-pixel image has 7 rows, which are 114 pixels apart instead of 128:
      the last row is 84 pixels away from MMDetection's.

    Args:
        *args: Arguments of ``mmdet.models.task_modules.AnchorGenerator``.
        **kwargs: Keyword arguments of ``AnchorGenerator``. The first level's stride has to divide
            the size of the padded image.

    Example:
        >>> generator = TorchvisionAnchorGenerator(strides=[8, 128], ratios=[0.5], scales=[4])
        >>> generator.base_anchors[0]
        tensor([[-23., -11.,  23.,  11.]])
        >>> generator.grid_priors([(100, 100), (7, 7)], device='cpu')[1][::7, 1].diff()
        tensor([114., 114., 114., 114., 114., 114.])
    """

    def gen_single_level_base_anchors(
        self,
        base_size: float,
        scales: Tensor,
        ratios: Tensor,
        center: tuple[float, float] | None = None,
    ) -> Tensor:
        """Generate the anchors of one position.

        Args:
            base_size: Anchor size at scale 1, in pixels.
            scales: Scales of the anchors, float (S,).
            ratios: Height divided by width of the anchors, float (R,).
            center: Center of the anchors in pixels; ``None`` for (0, 0).

        Returns:
            Left, top, right and bottom relative to the position, in whole pixels, float (R * S, 4).
        """
        # Rounded down as in torchvision, where 32 * 2^(1/3) = 40.3 is written as 40.
        sizes = torch.floor(base_size * scales + 1e-4)
        return super().gen_single_level_base_anchors(1, sizes, ratios, center).round()

    def grid_priors(
        self,
        featmap_sizes: list[tuple[int, int]],
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = 'cuda',
    ) -> list[Tensor]:
        """Generate the anchors of all levels.

        Args:
            featmap_sizes: Height and width of each level's map.
            dtype: Data type of the anchors.
            device: Device of the anchors.

        Returns:
            Anchors of each level, (H * W * A, 4): left, top, right and bottom in pixels of the
            padded image.
        """
        across, down = self.strides[0]
        height, width = featmap_sizes[0][0] * down, featmap_sizes[0][1] * across
        return [
            self._placed(base.to(device, dtype), rows, columns, height // rows, width // columns)
            for base, (rows, columns) in zip(self.base_anchors, featmap_sizes, strict=True)
        ]

    @staticmethod
    def _placed(base: Tensor, rows: int, columns: int, down: int, across: int) -> Tensor:
        y, x = torch.meshgrid(
            torch.arange(rows, device=base.device).to(base.dtype) * down,
            torch.arange(columns, device=base.device).to(base.dtype) * across,
            indexing='ij',
        )
        shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
        return (shifts + base).reshape(-1, 4)
