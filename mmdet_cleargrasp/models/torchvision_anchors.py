"""The anchors of torchvision's detectors, for fine-tuning from their weights."""

from __future__ import annotations

import torch
from mmdet.models.task_modules.prior_generators import AnchorGenerator
from mmdet.registry import TASK_UTILS
from torch import Tensor


@TASK_UTILS.register_module()
class TorchvisionAnchorGenerator(AnchorGenerator):
    """Anchors as torchvision's Faster R-CNN and RetinaNet place them.

    They differ from MMDetection's in two ways, which box regression has learned with:

    - sizes are whole pixels, and so are the corners around an anchor's center;
    - the distance between the anchors of a level is the image's size divided by the map's, rounded
      down. Pooled maps are rounded up: where P7 of an image of 800 pixels has 7 rows, its anchors
      are 114 pixels apart instead of 128, and the last is 84 pixels from MMDetection's position.

    Args:
        *args: As in ``mmdet.models.task_modules.AnchorGenerator``.
        **kwargs: Likewise. The first level's stride has to divide the padded image's size.

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
        """The anchors around one position, (A, 4), in pixels from its center."""
        sizes = torch.floor(base_size * scales + 1e-4)  # 32 * 2^(1/3) is 40 there
        return super().gen_single_level_base_anchors(1, sizes, ratios, center).round()

    def grid_priors(
        self,
        featmap_sizes: list[tuple[int, int]],
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = 'cuda',
    ) -> list[Tensor]:
        """The anchors of all levels.

        Args:
            featmap_sizes: Height and width of each level's map.
            dtype: Of the result.
            device: Likewise.

        Returns:
            (H * W * A, 4) each, in pixels of the padded image.
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
