"""Maps of a frozen backbone, computed once for every image and kept on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..atomic_files import write_atomically
from ..checkpoints.writing import to_bytes

Maps = tuple[Tensor, ...]
DTYPES = {'float32': torch.float32, 'float16': torch.float16}


class FeatureCache:
    """Stands in for a frozen backbone's ``forward`` and computes nothing twice.

    What is kept is named after the backbone's weights and structure and after the very numbers that
    went in: other weights, another image, crop, flip or scale is another name, so that nothing on
    disk can be out of date. Files are mapped into memory, not read whole.

    Args:
        backbone (nn.Module): frozen, with its weights loaded, on its device.
        folder (str | Path): where to; several backbones and runs may share it.
        structure (str): what the weights alone do not tell, such as the backbone's config.
        dtype (str): ``'float32'``, exact, or ``'float16'``, half the size. Maps come back in 32
            bits, rounded alike whether they were found or computed.
        max_gigabytes (float): beyond it nothing more is kept of this backbone; what is there still
            serves.

    Attributes:
        hits (int): images that were found; ``misses``, that were computed.

    Raises:
        ValueError: an unknown dtype.

    Example:
        >>> import tempfile
        >>> from mmdet_cleargrasp.backbones import ClearGraspResNet
        >>> backbone = ClearGraspResNet(18, frozen=False).eval()
        >>> images = torch.rand(2, 3, 32, 32)
        >>> with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        ...     cache = FeatureCache(backbone, folder)
        ...     first, again = cache(images), cache(images)
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
        self._compute = backbone.forward
        self._dtype = DTYPES[dtype]
        name = _digest_of_backbone(backbone, f'{structure}|{dtype}')
        self.folder = Path(folder) / name
        kept = sum(file.stat().st_size for file in self.folder.glob('*/*.pt'))
        self._room = max_gigabytes * 1e9 - kept
        self.hits = self.misses = 0

    def __call__(self, inputs: Tensor) -> Maps:
        """Look up or compute the maps of normalised images, (N, 3, H, W), float."""
        files = [self._file(image) for image in inputs]
        maps: list[Maps | None] = [_read(file) for file in files]
        missing = [index for index, found in enumerate(maps) if found is None]
        self.hits += len(files) - len(missing)
        self.misses += len(missing)
        if missing:
            levels = [level.to(self._dtype) for level in self._compute(inputs[missing])]
            for row, index in enumerate(missing):
                maps[index] = tuple(level[row] for level in levels)
                self._keep(files[index], maps[index])
        return tuple(
            torch.stack([level.to(inputs.device) for level in levels]).float()
            for levels in zip(*maps, strict=True)
        )

    def _file(self, image: Tensor) -> Path:
        numbers = image.detach().cpu().contiguous().numpy()
        name = hashlib.blake2b(
            numbers.tobytes() + str((numbers.shape, numbers.dtype)).encode(), digest_size=20
        ).hexdigest()
        return self.folder / name[:2] / f'{name[2:]}.pt'

    def _keep(self, file: Path, maps: Maps) -> None:
        content = to_bytes(tuple(level.detach().cpu().clone() for level in maps))
        if len(content) <= self._room:
            self._room -= len(content)
            write_atomically(file, content)


def _read(file: Path) -> Maps | None:
    if not file.is_file():
        return None
    return torch.load(file, mmap=True, weights_only=True)


def _digest_of_backbone(backbone: nn.Module, structure: str) -> str:
    digest = hashlib.blake2b(f'{structure}|{backbone}'.encode(), digest_size=12)
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(_numbers(tensor))
    return digest.hexdigest()


def _numbers(tensor: Tensor) -> Any:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
