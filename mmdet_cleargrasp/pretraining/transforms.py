"""Transforms of the pretraining: loading, geometric augmentation and packing.

A sample is a dict with ``img``, uint8 (H, W, 3) in BGR, and the ground truth of the tasks: ``mask``
and ``outlines``, class indices as uint8 (H, W); ``normals``, unit vectors as float32 (H, W, 3) in
camera axes (x right, y up, z towards the viewer), zero where unknown.
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
    """Load an image and its ground truth from the files of a :class:`.ClearGraspDataset`.

    Raises:
        DataError: A file cannot be read, sizes differ, or an outline class is unknown.

    Example:
        >>> train_pipeline = [
        ...     dict(type='LoadClearGraspSample'),
        ...     dict(type='RandomCropSample', size=256),
        ...     dict(type='RandomTurnSample', mirror=0.5),
        ...     dict(type='PackSample')]
        >>> [type(TRANSFORMS.build(step)).__name__ for step in train_pipeline[:2]]
        ['LoadClearGraspSample', 'RandomCropSample']
    """

    def transform(self, results: Sample) -> Sample:
        """Load the files.

        Args:
            results: Sample with ``files``: paths by kind, ``'rgb'`` and any of the tasks.

        Returns:
            The sample with ``img`` and the ground truth added.
        """
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
                    f'{files[field]} has {results[field].shape[:2]} rows and columns, expected '
                    f'{results["img"].shape[:2]} as in its image {files["rgb"]}'
                )
        return results


@TRANSFORMS.register_module()
class ResizeSample(BaseTransform):
    """Resize image and ground truth by nearest neighbor, as ClearGrasp does.

    Interpolation would mix class indices and normals.

    Args:
        size: Width and height in pixels.

    Example:
        >>> sample = dict(img=np.zeros((48, 64, 3), np.uint8), mask=np.zeros((48, 64), np.uint8))
        >>> {key: value.shape for key, value in ResizeSample((32, 16))(sample).items()}
        {'img': (16, 32, 3), 'mask': (16, 32)}
    """

    def __init__(self, size: tuple[int, int] = (256, 256)) -> None:
        self.size = tuple(size)

    def transform(self, results: Sample) -> Sample:
        """Resize the image and its ground truth."""
        for field in FIELDS:
            if field in results:
                results[field] = cv2.resize(
                    results[field], self.size, interpolation=cv2.INTER_NEAREST
                )
        return results


@TRANSFORMS.register_module()
class RandomCropSample(BaseTransform):
    """Crop a random square from image and ground truth and resize it.

    Args:
        size: Side of the resized square in pixels.
        scale: Smallest and largest side of the cropped square, as a share of the image's shorter
            side, in (0, 1].

    Example:
        >>> sample = dict(img=np.zeros((48, 64, 3), np.uint8), mask=np.zeros((48, 64), np.uint8))
        >>> {key: value.shape for key, value in RandomCropSample(32)(sample).items()}
        {'img': (32, 32, 3), 'mask': (32, 32)}
    """

    def __init__(self, size: int, scale: tuple[float, float] = (0.5, 1.0)) -> None:
        self.scale = scale
        self._resize = ResizeSample((size, size))

    def transform(self, results: Sample) -> Sample:
        """Crop and resize the image and its ground truth."""
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
    """Flip horizontally and rotate by multiples of 90 degrees, with the normals.

    Args:
        mirror: Probability of a horizontal flip, in [0, 1].
        turn: Probability of a rotation by 90, 180 or 270 degrees, in [0, 1]. For images taken from
            above, which have no upright side; ClearGrasp only flips.

    Example:
        >>> sample = dict(img=np.zeros((48, 64, 3), np.uint8), normals=np.ones((48, 64, 3)))
        >>> flipped = RandomTurnSample(mirror=1.0)(sample)
        >>> flipped['normals'][0, 0].tolist()
        [-1.0, 1.0, 1.0]
    """

    def __init__(self, mirror: float = 0.5, turn: float = 0.0) -> None:
        self.mirror, self.turn = mirror, turn

    def transform(self, results: Sample) -> Sample:
        """Flip and rotate the image and its ground truth."""
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
    """Convert a sample to the inputs of a :class:`.ClearGraspNetwork`.

    Example:
        >>> sample = dict(img=np.zeros((48, 64, 3), np.uint8), mask=np.zeros((48, 64), np.uint8),
        ...               files={'rgb': '0-rgb.jpg'})
        >>> packed = PackSample()(sample)
        >>> packed['inputs'].shape, packed['mask'].dtype, packed['path']
        (torch.Size([3, 48, 64]), torch.int64, '0-rgb.jpg')
    """

    def transform(self, results: Sample) -> Sample:
        """Pack the image and its ground truth.

        Returns:
            ``inputs``, uint8 (3, H, W); ``mask`` and ``outlines``, int64 (H, W); ``normals``,
            float32 (3, H, W); ``path``, the file of the image.
        """
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
        path: File with channels R, G and B, which are x, y and z. ClearGrasp sets all three to -1
            where the normal is unknown.

    Returns:
        Unit normals, float32 (H, W, 3), zero where unknown.

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
    except Exception as error:  # OpenEXR's exceptions have no common base class
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
    """Flip and rotate the vectors of a flipped and rotated image: x points right and y up."""
    normals = normals.copy()
    if mirrored:
        normals[..., 0] *= -1
    for _ in range(quarters):
        normals[..., 0], normals[..., 1] = -normals[..., 1], normals[..., 0].copy()
    return normals


def _channels_first(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
