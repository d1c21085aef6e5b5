"""Cached maps equal computed ones and are never returned for other inputs or weights."""

import errno
import io
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from mmdet_cleargrasp.models.backbones import ClearGraspResNet, feature_cache
from mmdet_cleargrasp.models.backbones.dilation import set_dilation
from mmdet_cleargrasp.models.backbones.feature_cache import FeatureCache
from mmdet_cleargrasp.utils.errors import DataError


@pytest.fixture
def backbone():
    torch.manual_seed(0)
    return ClearGraspResNet(18, frozen=False).eval()


@pytest.fixture(autouse=True)
def no_grad():
    with torch.no_grad():
        yield


def images(n=3, seed=0):
    return torch.rand(n, 3, 32, 48, generator=torch.Generator().manual_seed(seed))


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def largest_difference(one, other):
    return max((a - b).abs().max().item() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(('dtype', 'tolerance'), [('float32', 1e-6), ('float16', 2e-2)])
def test_cached_maps_equal_computed_maps(backbone, tmp_path, dtype, tolerance):
    cache = FeatureCache(backbone, tmp_path, dtype=dtype)
    computed, found = cache(images(), backbone), cache(images(), backbone)
    assert (cache.misses, cache.hits) == (3, 3)
    assert largest_difference(computed, found) == 0
    assert largest_difference(found, backbone(images())) <= tolerance
    assert {level.dtype for level in found} == {torch.float32}


def test_batches_combine_cached_and_computed_images(backbone, tmp_path):
    cache = FeatureCache(backbone, tmp_path)
    cache(images()[:1], backbone)
    mixed = cache(images()[[2, 0]], backbone)
    assert (cache.misses, cache.hits) == (2, 1)
    assert largest_difference(mixed, backbone(images()[[2, 0]])) <= 1e-6


def test_another_cache_object_reads_the_same_files(backbone, tmp_path):
    FeatureCache(backbone, tmp_path)(images(), backbone)
    later = FeatureCache(backbone, tmp_path)
    later(images(), backbone)
    assert later.misses == 0


@pytest.mark.parametrize('change', ['pixel', 'flip', 'weights', 'structure', 'dilation', 'dtype'])
def test_other_inputs_or_backbones_miss_the_cache(backbone, tmp_path, change):
    FeatureCache(backbone, tmp_path)(images(), backbone)
    other, options = images(), {}
    if change == 'pixel':
        other[:, 0, 0, 0] += 1e-6
    elif change == 'flip':
        other = other.flip(-1)
    elif change == 'weights':
        backbone.conv1.weight[0, 0, 0, 0] += 1e-6
    elif change == 'structure':
        options['structure'] = 'output_stride=8'
    elif change == 'dilation':
        set_dilation(backbone.layer4[0], 3)
    else:
        options['dtype'] = 'float16'
    cache = FeatureCache(backbone, tmp_path, **options)
    cache(other, backbone)
    assert cache.hits == 0


def test_max_gigabytes_limits_the_files(backbone, tmp_path):
    cache = FeatureCache(backbone, tmp_path, max_gigabytes=6e-5)  # 60 kB, the maps of one image
    cache(images(), backbone)
    cache(images(), backbone)
    kept = list(cache.folder.glob('*/*.npy'))
    assert sum(file.stat().st_size for file in kept) <= 6e4
    assert cache.hits == len(kept) == 1
    assert cache.full


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_storing_and_not_the_training(backbone, tmp_path, monkeypatch, number):
    cache = FeatureCache(backbone, tmp_path)
    expected = cache(images(1), backbone)
    write = Mock(side_effect=OSError(number, 'no space'))
    monkeypatch.setattr(feature_cache, 'write_atomically', write)
    found = cache(images(3), backbone)
    assert largest_difference(found, backbone(images(3))) <= 1e-6
    assert cache.full and write.call_count == 1
    assert largest_difference(cache(images(1), backbone), expected) == 0


def test_other_write_errors_are_raised(backbone, tmp_path, monkeypatch):
    write = Mock(side_effect=OSError(errno.EIO, 'broken'))
    monkeypatch.setattr(feature_cache, 'write_atomically', write)
    with pytest.raises(OSError, match='broken'):
        FeatureCache(backbone, tmp_path)(images(), backbone)


def test_mixed_batches_are_channels_last_and_equal_computed_maps(backbone, tmp_path):
    cache, known, mixed = FeatureCache(backbone, tmp_path), images()[:1], images()
    cache(known, backbone)
    for found, expected in zip(cache(mixed, backbone), backbone(mixed), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)
        assert found.is_contiguous(memory_format=torch.channels_last)
    assert (cache.hits, cache.misses) == (1, len(mixed))


def test_runs_under_autocast_store_exact_maps(backbone, tmp_path):
    cache = FeatureCache(backbone, tmp_path)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cache(images(), backbone)
    assert largest_difference(cache(images(), backbone), backbone(images())) <= 1e-5
    assert cache.hits == 3


@pytest.mark.parametrize('share', [0.5, 0.99])
def test_truncated_files_are_named(backbone, tmp_path, share):
    cache = FeatureCache(backbone, tmp_path)
    cache(images(), backbone)
    file = sorted(cache.folder.glob('*/*.npy'))[0]
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(DataError, match='is truncated: remove it'):
        cache(images(), backbone)


@pytest.mark.parametrize(
    'content',
    [
        b'not numpy' * 99,
        b'\x93NUMPY\x01\x00\x16\x00{garbage             \n',
        saved(np.zeros((2, 2, 2), '<i8')),
        saved(np.zeros(8, np.float32)),
        saved(np.zeros((3, 3, 3), np.float32)),
        saved(np.zeros((2, 2, 2), np.float32)).replace(b'(2, 2, 2)', b'(9999999, 99999, 9)'),
    ],
)
def test_foreign_files_are_named(backbone, tmp_path, content):
    cache = FeatureCache(backbone, tmp_path)
    cache(images(), backbone)
    file = cache._file(images()[1])
    file.write_bytes(content)
    with pytest.raises(DataError, match='remove it to have its maps computed again'):
        cache(images(), backbone)


def test_unknown_dtype(backbone, tmp_path):
    with pytest.raises(ValueError, match="dtype='int8', expected one of"):
        FeatureCache(backbone, tmp_path, dtype='int8')
