"""On-disk cache of the feature maps of a frozen backbone."""

from __future__ import annotations

import hashlib
import io
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from tokenize import TokenError
from typing import BinaryIO

import numpy as np
import torch
from numpy.lib.format import read_array_header_1_0, read_magic
from torch import Tensor, nn

from ...utils.atomic_files import NO_SPACE, write_atomically
from ...utils.errors import DataError

Maps = tuple[Tensor, ...]
_TRUNCATED = '{} is truncated: remove it to have its maps computed again'
_FOREIGN = '{} is not a file of this feature cache: remove it to have its maps computed again'
DTYPES = {'float32': torch.float32, 'float16': torch.float16}


class FeatureCache:
    """On-disk cache of a frozen backbone's feature maps, one file per image.

    Set it as the ``feature_cache`` of a :class:`.FreezableBackbone`. File names are hashes of the
    backbone's weights and structure and of the input's values: other weights, another image, crop,
    flip or scale have another name, so a cached map never goes stale. Maps are stored
    channels-last, the memory format that necks and heads use on a CPU.

    Args:
        backbone: Frozen backbone with its weights loaded.
        folder: Cache folder, which several backbones and runs may share.
        structure: Text that identifies what the weights do not determine, such as the backbone's
            config.
        dtype: Precision on disk: ``'float32'``, exact, or ``'float16'``, half the size. Maps are
            returned as float32, with the same rounding whether read or computed.
        max_gigabytes: Size limit in 10^9 bytes for this backbone. Once it is reached, or the disk
            is full, no new maps are stored; stored ones are still read.

    Attributes:
        folder: Folder of this backbone's files, inside the cache folder.
        hits: Number of images whose maps were read.
        misses: Number of images whose maps were computed.
        full: Whether maps were not stored because the limit was reached or the disk is full.

    Raises:
        ValueError: Unknown ``dtype``.
        DataError: When called, if a file is truncated or was not written by this cache.

    Example:
        >>> import tempfile
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> backbone = ClearGraspResNet(18, frozen=False).eval()
        >>> images = torch.rand(2, 3, 32, 32)
        >>> with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        ...     cache = backbone.feature_cache = FeatureCache(backbone, folder)
        ...     computed, cached = backbone(images), backbone(images)
        >>> all(torch.equal(a, b) for a, b in zip(computed, cached)), cache.hits, cache.misses
        (True, 2, 2)
    """

    def __init__(
        self,
        backbone: nn.Module,
        folder: str | Path,
        structure: str = '',
        dtype: str = 'float32',
        max_gigabytes: float = 20.0,
    ) -> None:
        if dtype not in DTYPES:
            raise ValueError(f'dtype={dtype!r}, expected one of {tuple(DTYPES)}')
        self._dtype = DTYPES[dtype]
        name = _digest_of_backbone(backbone, f'{structure}|{dtype}')
        self.folder = Path(folder) / name
        stored = sum(file.stat().st_size for file in self.folder.glob('*/*.npy'))
        self._room = max_gigabytes * 1e9 - stored
        self.hits = self.misses = 0
        self.full = False

    def __call__(self, inputs: Tensor, compute: Callable[[Tensor], Maps]) -> Maps:
        """Read the feature maps of a batch, computing and storing those that are missing.

        Args:
            inputs: Normalized images, (N, 3, H, W), float.
            compute: The backbone's forward pass without the cache.

        Returns:
            Maps as ``compute(inputs)`` returns them, float32 on the device of ``inputs``.

        Raises:
            DataError: A file is truncated or was not written by this cache.
        """
        files = [self._file(image) for image in inputs.detach().cpu()]  # one transfer from a GPU
        missing = [row for row, file in enumerate(files) if not file.is_file()]
        found = [row for row in range(len(files)) if row not in missing]
        self.hits += len(found)
        self.misses += len(missing)
        if not found:
            return tuple(level.float() for level in self._compute_and_store(inputs, files, compute))
        maps = _read(files, found)
        if missing:
            absent = [files[row] for row in missing]
            computed = self._compute_and_store(inputs[missing], absent, compute)
            for level, rows in zip(maps, computed, strict=True):
                level[missing] = rows.cpu()
        return tuple(level.to(inputs.device).float() for level in maps)

    def _compute_and_store(
        self, inputs: Tensor, files: list[Path], compute: Callable[[Tensor], Maps]
    ) -> list[Tensor]:
        # Runs with and without mixed precision share the files.
        with torch.autocast(inputs.device.type, enabled=False):
            levels = [level.to(self._dtype) for level in compute(inputs.float())]
        to_store = [level.detach().cpu() for level in levels]
        for row, file in enumerate(files):
            self._store(file, [level[row] for level in to_store])
        return levels

    def _file(self, image: Tensor) -> Path:
        numbers = image.contiguous().numpy()
        name = hashlib.blake2b(
            numbers.tobytes() + str((numbers.shape, numbers.dtype)).encode(), digest_size=20
        ).hexdigest()
        return self.folder / name[:2] / f'{name[2:]}.npy'

    def _store(self, file: Path, maps: list[Tensor]) -> None:
        """Write an image's maps one after the other, each (H, W, C), if there is room."""
        content = io.BytesIO()
        for level in maps:
            np.save(content, level.permute(1, 2, 0).contiguous().numpy())
        if content.tell() > self._room:
            self.full = True
            return
        try:
            write_atomically(file, content.getvalue())
            self._room -= content.tell()
        except OSError as error:  # training goes on without new maps
            if error.errno not in NO_SPACE:
                raise
            self.full, self._room = True, 0.0


def _read(files: list[Path], rows: list[int]) -> list[Tensor]:
    """Maps of a batch, (N, C, H, W) in channels-last memory; only the given rows are filled in.

    Files are read directly into the batch: concatenating maps that were read one by one takes
    longer than reading them.
    """
    maps: list[np.ndarray] = []
    for row in rows:
        with files[row].open('rb') as stream:
            for level in itertools.count():
                if stream.tell() == files[row].stat().st_size:
                    if level < len(maps):
                        raise DataError(_TRUNCATED.format(files[row]))
                    break
                shape, dtype = _read_header(stream, files[row])
                if level == len(maps):
                    maps.append(np.empty((len(files), *shape), dtype))
                if (shape, dtype) != (maps[level].shape[1:], maps[level].dtype):
                    raise DataError(_FOREIGN.format(files[row]))
                target = maps[level][row].reshape(-1).view(np.uint8)
                if stream.readinto(target) != target.nbytes:
                    raise DataError(_TRUNCATED.format(files[row]))
    return [torch.from_numpy(level).permute(0, 3, 1, 2) for level in maps]


def _read_header(stream: BinaryIO, file: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of the next array in a file, checked against the size of the file."""
    try:
        read_magic(stream)
        shape, _, dtype = read_array_header_1_0(stream)
    except (ValueError, SyntaxError, TokenError) as error:
        raise DataError(_FOREIGN.format(file)) from error
    if len(shape) != 3 or dtype not in (np.float32, np.float16):
        raise DataError(_FOREIGN.format(file))
    if math.prod(shape) * dtype.itemsize > file.stat().st_size:
        raise DataError(_TRUNCATED.format(file))
    return shape, dtype


def _digest_of_backbone(backbone: nn.Module, structure: str) -> str:
    digest = hashlib.blake2b(f'{structure}|{backbone}'.encode(), digest_size=12)
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
