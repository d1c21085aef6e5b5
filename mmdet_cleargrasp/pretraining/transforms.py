"""From files to tensors: reading, the geometry of image and truth together, and packing.

A sample is a dict with ``img``, uint8 (H, W, 3) in BGR, and the truth that the task needs:
``mask`` and ``outlines``, uint8 (H, W), ``normals``, float32 (H, W, 3) in camera axes (x right,
y up, z towards the viewer), zero where none is known.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from ..datasets.images import read_image
from ..utils.errors import DataError
from .tasks import CHANNELS, OUTLINE_CLASSES

FIELDS = ('img', *CHANNELS)
Sample = dict[str, Any]


@TRANSFORMS.register_module()
class LoadClearGraspSample(BaseTransform):
    """Load an image and its ground truth.

    Raises:
        DataError: A file that cannot be read, sizes that differ, or an unknown outline class.
    """

    def transform(self, results: Sample) -> Sample:
        """Read the files that ``results['files']`` names."""
        files = results['files']
        results['img'] = read_image(files['rgb'], channel_order='bgr')
        if 'mask' in files:
            results['mask'] = (_read_gray(files['mask']) > 0).astype('uint8')
        if 'outlines' in files:
            results['outlines'] = _outline_classes(files['outlines'])
        if 'normals' in files:
            results['normals'] = read_normals(files['normals'])
        for field in FIELDS:
            if field in results and results[field].shape[:2] != results['img'].shape[:2]:
                raise DataError(
                    f'{files[field]} has {results[field].shape[:2]} rows and columns, its image '
                    f'{files["rgb"]} {results["img"].shape[:2]}'
                )
        return results


@TRANSFORMS.register_module()
class ResizeSample(BaseTransform):
    """Resize without interpolation, as ClearGrasp does: no class or normal lies between others.

    Args:
        size: Width and height in pixels.
    """

    def __init__(self, size: tuple[int, int] = (256, 256)) -> None:
        self.size = tuple(size)

    def transform(self, results: Sample) -> Sample:
        """Resize image and truth."""
        for field in FIELDS:
            if field in results:
                results[field] = cv2.resize(
                    results[field], self.size, interpolation=cv2.INTER_NEAREST
                )
        return results


@TRANSFORMS.register_module()
class RandomCropSample(BaseTransform):
    """Cut a square out at random and resize it.

    Args:
        size: Of the result in pixels.
        scale: Least and greatest side of the square, as a share of the
            image's shorter side, in (0, 1].
    """

    def __init__(self, size: int, scale: tuple[float, float] = (0.5, 1.0)) -> None:
        self.scale = scale
        self._resize = ResizeSample((size, size))

    def transform(self, results: Sample) -> Sample:
        """Cut and resize image and truth."""
        height, width = results['img'].shape[:2]
        side = max(1, round(np.random.uniform(*self.scale) * min(height, width)))
        top = np.random.randint(height - side + 1)
        left = np.random.randint(width - side + 1)
        for field in FIELDS:
            if field in results:
                results[field] = results[field][top : top + side, left : left + side]
        return self._resize.transform(results)


@TRANSFORMS.register_module()
class RandomTurnSample(BaseTransform):
    """Mirror and turn by right angles, normals included.

    Args:
        mirror: Probability of a mirror image, in [0, 1].
        turn: Probability of a turn by 90, 180 or 270 degrees, in [0, 1]. Seen from above
            a bench has no upright side; ClearGrasp itself only mirrors.
    """

    def __init__(self, mirror: float = 0.5, turn: float = 0.0) -> None:
        self.mirror, self.turn = mirror, turn

    def transform(self, results: Sample) -> Sample:
        """Mirror and turn image and truth."""
        mirrored = np.random.rand() < self.mirror
        quarters = np.random.randint(1, 4) if np.random.rand() < self.turn else 0
        for field in FIELDS:
            if field not in results:
                continue
            value = results[field][:, ::-1] if mirrored else results[field]
            value = np.rot90(value, quarters)
            if field == 'normals':
                value = _turned_normals(value, mirrored, quarters)
            results[field] = np.ascontiguousarray(value)
        return results


@TRANSFORMS.register_module()
class PackSample(BaseTransform):
    """Turn a sample into the tensors that the network takes: ``inputs`` and one for each task."""

    def transform(self, results: Sample) -> Sample:
        """Pack image and truth; the image's path comes along as ``path``."""
        packed = {'inputs': _channels_first(results['img']), 'path': results['files']['rgb']}
        for task in CHANNELS:
            if task in results:
                value = results[task]
                packed[task] = (
                    _channels_first(value) if task == 'normals' else torch.from_numpy(value).long()
                )
        return packed


def read_normals(path: str) -> np.ndarray:
    """Read surface normals from an OpenEXR file.

    Args:
        path: The file, with channels R, G and B; ClearGrasp marks unknown normals by -1 in
            all three.

    Returns:
        Unit normals, float32 of shape (H, W, 3); zeros where unknown.

    Raises:
        DataError: The file cannot be read, or the package that reads OpenEXR is not installed.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise DataError(
            "reading normals needs the package OpenEXR: pip install 'mmdet_cleargrasp[pretrain]'"
        ) from error
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = file.channels()
            normals = np.stack([channels[c].pixels for c in 'RGB'], axis=-1).astype(np.float32)
    except Exception as error:  # its C++ exceptions have no common type
        text = f'{path} cannot be read as OpenEXR with channels R, G and B: {error}'
        raise DataError(text) from error
    normals[(normals == -1).all(axis=-1)] = 0
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.where(length > 1e-3, normals / np.maximum(length, 1e-3), 0).astype(np.float32)


def _read_gray(path: str) -> np.ndarray:
    try:
        content = np.fromfile(path, np.uint8)  # cv2.imread crashes on names that are not UTF-8
    except OSError as error:
        raise DataError(f'{path} cannot be read as an image: {error.strerror}') from error
    image = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if content.size else None
    if image is None:
        raise DataError(f'{path} cannot be read as an image')
    return image


def _outline_classes(path: str) -> np.ndarray:
    classes = _read_gray(path)
    if classes.max(initial=0) >= len(OUTLINE_CLASSES):
        raise DataError(
            f'{path} has the value {classes.max()}, expected the classes 0 to '
            f'{len(OUTLINE_CLASSES) - 1}: {", ".join(OUTLINE_CLASSES)}'
        )
    return classes


def _turned_normals(normals: np.ndarray, mirrored: bool, quarters: int) -> np.ndarray:
    """Turn vectors with the picture: x points right and y up, whatever the rows do."""
    normals = normals.copy()
    if mirrored:
        normals[..., 0] *= -1
    for _ in range(quarters):
        normals[..., 0], normals[..., 1] = -normals[..., 1], normals[..., 0].copy()
    return normals


def _channels_first(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
