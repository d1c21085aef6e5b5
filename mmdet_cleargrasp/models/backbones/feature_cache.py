"""Feature maps of a frozen backbone, computed once for every image and kept on disk."""

from __future__ import annotations

import hashlib
import io
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.lib.format import read_array_header_1_0, read_magic
from torch import Tensor, nn

from ...utils.atomic_files import write_atomically
from ...utils.errors import DataError

Maps = tuple[Tensor, ...]
_CUT_OFF = '{} is cut off: remove it, and it is computed again'
_FOREIGN = '{} is no file of this feature cache: remove it, and it is computed again'
DTYPES = {'float32': torch.float32, 'float16': torch.float16}


class FeatureCache:
    """A frozen backbone's feature maps on disk; set it as the backbone's ``feature_cache``.

    Files are named after the backbone's weights and structure and after the values of the input:
    other weights, another image, crop, flip or scale is another name, so that nothing on disk can
    be out of date. Maps are kept channels-last, in which neck and heads compute on a CPU.

    Args:
        backbone: Frozen, with its weights loaded.
        folder: Several backbones and runs may share it.
        structure: What the weights do not determine, such as the backbone's config.
        dtype: ``'float32'``, exact, or ``'float16'``, half the size. Maps are returned in 32 bits,
            rounded the same way whether they were found or computed.
        max_gigabytes: Beyond it no more maps of this backbone are kept; those on disk are still
            read.

    Attributes:
        hits: Images that were found.
        misses: Images that were computed.

    Raises:
        ValueError: An unknown dtype.
        DataError: At a call, a file that is cut off.

    Example:
        >>> import tempfile
        >>> from mmdet_cleargrasp.models.backbones import ClearGraspResNet
        >>> backbone = ClearGraspResNet(18, frozen=False).eval()
        >>> images = torch.rand(2, 3, 32, 32)
        >>> with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        ...     cache = backbone.feature_cache = FeatureCache(backbone, folder)
        ...     first, again = backbone(images), backbone(images)
        >>> all(torch.equal(a, b) for a, b in zip(first, again)), cache.hits, cache.misses
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
        kept = sum(file.stat().st_size for file in self.folder.glob('*/*.npy'))
        self._room = max_gigabytes * 1e9 - kept
        self.hits = self.misses = 0

    def __call__(self, inputs: Tensor, compute: Callable[[Tensor], Maps]) -> Maps:
        """Find or compute feature maps.

        Args:
            inputs: Normalized images, (N, 3, H, W), float.
            compute: The backbone's own computation.
        """
        files = [self._file(image) for image in inputs.detach().cpu()]  # one wait for a GPU
        missing = [row for row, file in enumerate(files) if not file.is_file()]
        found = [row for row in range(len(files)) if row not in missing]
        self.hits += len(found)
        self.misses += len(missing)
        if not found:
            return tuple(level.float() for level in self._compute_and_keep(inputs, files, compute))
        maps = _read(files, found)
        if missing:
            absent = [files[row] for row in missing]
            computed = self._compute_and_keep(inputs[missing], absent, compute)
            for level, rows in zip(maps, computed, strict=True):
                level[missing] = rows.cpu()
        return tuple(level.to(inputs.device).float() for level in maps)

    def _compute_and_keep(
        self, inputs: Tensor, files: list[Path], compute: Callable[[Tensor], Maps]
    ) -> list[Tensor]:
        # What is kept serves runs of any precision.
        with torch.autocast(inputs.device.type, enabled=False):
            levels = [level.to(self._dtype) for level in compute(inputs.float())]
        to_keep = [level.detach().cpu() for level in levels]
        for row, file in enumerate(files):
            self._keep(file, [level[row] for level in to_keep])
        return levels

    def _file(self, image: Tensor) -> Path:
        numbers = image.contiguous().numpy()
        name = hashlib.blake2b(
            numbers.tobytes() + str((numbers.shape, numbers.dtype)).encode(), digest_size=20
        ).hexdigest()
        return self.folder / name[:2] / f'{name[2:]}.npy'

    def _keep(self, file: Path, maps: list[Tensor]) -> None:
        """Write an image's maps one after the other, channels last."""
        content = io.BytesIO()
        for level in maps:
            np.save(content, level.permute(1, 2, 0).contiguous().numpy())
        if content.tell() <= self._room:
            self._room -= content.tell()
            write_atomically(file, content.getvalue())


def _read(files: list[Path], rows: list[int]) -> list[Tensor]:
    """Maps of a batch, channels-last, with those rows filled in from their files.

    Files are read straight into the batch: concatenating maps that were read one by one would take
    longer than reading them.
    """
    maps: list[np.ndarray] = []
    for row in rows:
        with files[row].open('rb') as stream:
            for level in itertools.count():
                if stream.tell() == files[row].stat().st_size:
                    if level < len(maps):
                        raise DataError(_CUT_OFF.format(files[row]))
                    break
                shape, dtype = _read_header(stream, files[row])
                if level == len(maps):
                    maps.append(np.empty((len(files), *shape), dtype))
                if (shape, dtype) != (maps[level].shape[1:], maps[level].dtype):
                    raise DataError(_FOREIGN.format(files[row]))
                target = maps[level][row].reshape(-1).view(np.uint8)
                if stream.readinto(target) != target.nbytes:
                    raise DataError(_CUT_OFF.format(files[row]))
    return [torch.from_numpy(level).permute(0, 3, 1, 2) for level in maps]


def _read_header(stream: BinaryIO, file: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the array that follows, checked against the size of the file."""
    try:
        read_magic(stream)
        shape, _, dtype = read_array_header_1_0(stream)
    except (ValueError, SyntaxError, TokenError) as error:
        raise DataError(_FOREIGN.format(file)) from error
    if len(shape) != 3 or dtype not in (np.float32, np.float16):
        raise DataError(_FOREIGN.format(file))
    if math.prod(shape) * dtype.itemsize > file.stat().st_size:
        raise DataError(_CUT_OFF.format(file))
    return shape, dtype


def _digest_of_backbone(backbone: nn.Module, structure: str) -> str:
    digest = hashlib.blake2b(f'{structure}|{backbone}'.encode(), digest_size=12)
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(_numbers(tensor))
    return digest.hexdigest()


def _numbers(tensor: Tensor) -> Any:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
