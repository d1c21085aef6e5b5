"""Images and ground truth are loaded, cropped, rotated and packed together."""

import cv2
import numpy as np
import pytest
import torch

from mmdet_cleargrasp.datasets.cleargrasp_folders import find_samples
from mmdet_cleargrasp.pretraining import augmentation, transforms
from mmdet_cleargrasp.utils.errors import DataError

from .conftest import write_exr

TASKS = ('mask', 'outlines', 'normals')


@pytest.fixture
def sample(samples):
    files = find_samples(samples / 'train', TASKS)[0]
    return {'files': {kind: str(path) for kind, path in files.items()}}


def test_sample_is_loaded_as_it_was_written(sample):
    loaded = transforms.LoadClearGraspSample()(sample)
    assert loaded['img'].shape == (48, 64, 3)
    assert set(np.unique(loaded['mask'])) == {0, 1}
    assert set(np.unique(loaded['outlines'])) == {0, 1}
    assert np.allclose(np.linalg.norm(loaded['normals'], axis=-1), 1, atol=1e-3)
    row, column = np.argwhere(loaded['mask'])[0]  # the highest row of the disc: up is y
    assert loaded['normals'][row, column, 1] > 0.8


def test_unknown_normals_are_zero(tmp_path):
    normals = np.full((4, 6, 3), -1, np.float32)
    normals[0, 0] = (0, 3, 4)
    write_exr(tmp_path / 'n.exr', normals)
    read = transforms.read_normals(tmp_path / 'n.exr')
    assert np.allclose(read[0, 0], (0, 0.6, 0.8))
    assert not read[1:].any()


@pytest.mark.parametrize('mirror', [0.0, 1.0])
@pytest.mark.parametrize('seed', range(4))
def test_normals_rotate_with_the_image(sample, mirror, seed):
    """A half sphere that is flipped or rotated is a half sphere again."""
    loaded = transforms.LoadClearGraspSample()(sample)
    np.random.seed(seed)
    turned = transforms.RandomTurnSample(mirror=mirror, turn=0.75)(loaded)
    rows, columns = np.nonzero(turned['mask'])
    away = np.stack([columns - columns.mean(), rows.mean() - rows], axis=-1)
    normals = turned['normals'][rows, columns, :2]
    radius = np.sqrt(len(rows) / np.pi)
    assert np.abs(normals - away / radius).max() < 0.25


def test_crop_keeps_image_and_ground_truth_aligned(sample):
    loaded = transforms.LoadClearGraspSample()(sample)
    loaded['mask'] = (loaded['img'][..., 0] > 90).astype(np.uint8)
    cropped = transforms.RandomCropSample(32, scale=(0.4, 0.9))(loaded)
    assert cropped['img'].shape == (32, 32, 3) and cropped['normals'].shape == (32, 32, 3)
    assert np.array_equal(cropped['mask'], cropped['img'][..., 0] > 90)


def test_packed_types_and_shapes(sample):
    packed = transforms.PackSample()(transforms.LoadClearGraspSample()(sample))
    assert packed['inputs'].dtype == torch.uint8 and packed['inputs'].shape == (3, 48, 64)
    assert packed['mask'].dtype == torch.int64 and packed['mask'].shape == (48, 64)
    assert packed['normals'].dtype == torch.float32 and packed['normals'].shape == (3, 48, 64)


@pytest.mark.parametrize(
    ('kind', 'content', 'message'),
    [
        ('rgb', b'', 'is empty'),
        ('outlines', 7 * np.ones((48, 64), np.uint8), 'has the value 7, expected the classes 0 to 2'),
        ('mask', np.ones((10, 10), np.uint8), r'\(10, 10\) rows and columns, expected \(48, 64\)'),
        ('normals', b'no OpenEXR', 'cannot be read as OpenEXR'),
    ],
)  # fmt: skip
def test_invalid_files_are_refused(sample, tmp_path, kind, content, message):
    path = tmp_path / ('bad.exr' if kind == 'normals' else 'bad.png')
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        cv2.imwrite(str(path), content)
    sample['files'][kind] = str(path)
    with pytest.raises(DataError, match=message):
        transforms.LoadClearGraspSample()(sample)


@pytest.mark.parametrize(
    'change',
    ['BrightPatches', 'ColorChange', 'BlurAndNoise', 'ColoredBlocks'],
)
def test_augmentation_changes_the_image_alone(sample, change):
    loaded = transforms.LoadClearGraspSample()(sample)
    kind = getattr(augmentation, change)
    never = kind(prob=0)(dict(loaded))['img']
    assert np.array_equal(never, loaded['img'])
    changed = []
    for seed in range(40):
        np.random.seed(seed)
        result = kind(prob=1)(dict(loaded))
        assert result['img'].dtype == np.uint8 and result['img'].shape == loaded['img'].shape
        assert result['mask'] is loaded['mask']
        changed.append(not np.array_equal(result['img'], loaded['img']))
    assert np.mean(changed) > 0.5
