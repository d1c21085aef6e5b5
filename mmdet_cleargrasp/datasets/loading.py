"""The reader of images as the first transform of MMDetection's pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS
from mmengine.config import Config

from ..utils.errors import DataError
from .images import read_image


@TRANSFORMS.register_module()
class LoadPhotograph(LoadImageFromFile):
    """Load a photograph or scan by :func:`.read_image`, instead of ``LoadImageFromFile``.

    JPEG gives the same pixels. Files that ``LoadImageFromFile`` cannot read, or reads differently
    from how they are displayed, work too: HEIC and AVIF, 10- to 16-bit scans, transparent images.
    :class:`.PlateDetector` and MMDetection's ``DetInferencer`` use it too.

    Required Keys:

    - img_path

    Modified Keys:

    - img
    - img_shape
    - ori_shape

    Args:
        to_float32: Return float32 instead of uint8.
        ignore_empty: Skip an image that cannot be read instead of raising.

    Raises:
        DataError: From ``transform``: the image cannot be read.

    Example:
        >>> from PIL import Image
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new('RGB', (64, 48)).save(f'{folder}/dish.png')
        ...     results = LoadPhotograph()({'img_path': f'{folder}/dish.png'})
        >>> results['img'].shape, results['ori_shape']
        ((48, 64, 3), (48, 64))
    """

    def __init__(self, to_float32: bool = False, ignore_empty: bool = False) -> None:
        super().__init__(to_float32=to_float32, ignore_empty=ignore_empty)

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Read the image at ``results['img_path']`` in BGR order."""
        try:
            image = read_image(results['img_path'], channel_order='bgr')
        except DataError:
            if self.ignore_empty:
                return None
            raise
        results['img'] = image.astype(np.float32) if self.to_float32 else image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


def load_photographs(cfg: Config) -> None:
    """Use :class:`LoadPhotograph` in the pipelines of a config.

    For MMDetection's own configs and older work dirs. A ``LoadImageFromFile`` with options, such as
    another color type, is kept.

    Args:
        cfg: Of a run; is changed.

    Example:
        >>> cfg = Config(dict(test_pipeline=[dict(type='LoadImageFromFile', backend_args=None)]))
        >>> load_photographs(cfg)
        >>> cfg.test_pipeline
        [{'type': 'LoadPhotograph'}]
    """
    for loader in _plain_loaders(cfg._cfg_dict):
        loader['type'] = LoadPhotograph.__name__
        loader.pop('backend_args', None)


def _plain_loaders(node: Any) -> list[dict[str, Any]]:
    """Every ``LoadImageFromFile`` without options below a node of a config."""
    if isinstance(node, dict):
        if node.get('type') in ('LoadImageFromFile', 'mmcv.LoadImageFromFile', LoadImageFromFile):
            return [node] if not any(v for k, v in node.items() if k != 'type') else []
        children = list(node.values())
    else:
        children = list(node) if isinstance(node, list | tuple) else []
    return [loader for child in children for loader in _plain_loaders(child)]
