"""A dataset in ClearGrasp's layout: drawn discs with the normals of half spheres."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_cleargrasp.datasets.cleargrasp_folders import KINDS

OpenEXR = pytest.importorskip('OpenEXR')


def write_exr(path: Path, image: np.ndarray) -> None:
    header = {'compression': OpenEXR.ZIP_COMPRESSION, 'type': OpenEXR.scanlineimage}
    channels = {c: np.ascontiguousarray(image[..., k]) for k, c in enumerate('RGB')}
    OpenEXR.File(header, channels).write(str(path))


def write_samples(
    folder: Path, count: int, size: tuple[int, int] = (64, 48), seed: int = 0
) -> None:
    rng = np.random.default_rng(seed)
    for kind in ('rgb', 'mask', 'outlines', 'normals'):
        (folder / KINDS[kind].folder).mkdir(parents=True)
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    for k in range(count):
        x, y, r = rng.uniform(16, size[0] - 16), rng.uniform(14, size[1] - 14), rng.uniform(8, 13)
        away = np.stack([columns - x, y - rows], axis=-1) / r
        distance = np.linalg.norm(away, axis=-1)
        mask = distance < 1
        normals = np.zeros((*mask.shape, 3), np.float16)
        normals[..., 2] = 1
        normals[mask, :2] = away[mask]
        normals[mask, 2] = np.sqrt(1 - distance[mask] ** 2)
        image = np.full((*mask.shape, 3), rng.integers(60, 200), np.uint8)
        image[mask] = (image[mask] * 0.6 + 90 * (away[mask][:, :1] + 1) / 2).astype(np.uint8)
        outlines = (np.abs(distance - 1) * r < 1).astype(np.uint8)
        files = {'rgb': image, 'mask': 255 * mask.astype(np.uint8), 'outlines': outlines}
        for kind, content in files.items():
            name = f'{k:09d}{KINDS[kind].endings[0]}'
            cv2.imwrite(str(folder / KINDS[kind].folder / name), content)
        write_exr(folder / 'camera-normals' / f'{k:09d}-cameraNormals.exr', normals)


@pytest.fixture(scope='session')
def samples(tmp_path_factory) -> Path:
    """A folder with train (8 images) and val (3 images)."""
    root = tmp_path_factory.mktemp('cleargrasp')
    write_samples(root / 'train', 8)
    write_samples(root / 'val', 3, seed=1)
    return root
