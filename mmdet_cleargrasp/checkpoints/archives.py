"""Read the two file formats of ``torch.save``, checking every size before memory is allocated."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from types import SimpleNamespace
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .unpickling import PlainUnpickler, Storage

#: Magic number of the format before torch 1.6, in the first pickle of a file.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
#: Maximum number of bytes read at a time.
CHUNK = 2**24


class DamagedFileError(Exception):
    """Checksums or sizes in a file do not match its content."""


def read_archive(path: Path) -> Any:
    """Load a file written by ``torch.save``.

    Args:
        path: Regular file.

    Returns:
        The saved object; tensors are on the CPU.

    Raises:
        DamagedFileError: Checksums or sizes do not match.
        UnpicklingError: The pickle holds something other than tensors and plain values.
        Exception: Many other types are possible if the file is not a checkpoint.
    """
    with path.open('rb') as file:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                return _ZipCheckpoint(archive, path.stat().st_size).load()
        file.seek(0)
        if file.read(4) == b'PK\3\4':
            raise DamagedFileError('its end is missing, it is probably truncated')
        file.seek(0)
        return _LegacyCheckpoint(file, path.stat().st_size).load()


class _ByteBudget:
    """Refuses to read more bytes than the size of the file.

    Args:
        size: Size of the file in bytes.
    """

    def __init__(self, size: int) -> None:
        self.left = size

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise DamagedFileError('its tensors declare more bytes than the file has')


class _ZipCheckpoint:
    """The format since torch 1.6: a zip archive with one pickle and one record per storage."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self.archive = archive
        self.budget = _ByteBudget(size)
        self.storages: dict[str, Storage] = {}
        pickles = [name for name in archive.namelist() if name.split('/')[1:] == ['data.pkl']]
        if len(set(archive.namelist())) != len(archive.namelist()):
            raise DamagedFileError('it has several records of one name')
        if len(pickles) != 1:
            raise UnpicklingError('a zip file without data.pkl')
        self.root = pickles[0].split('/')[0]
        if f'{self.root}/constants.pkl' in archive.namelist():
            raise UnpicklingError('UNSUPPORTED a TorchScript program')

    def load(self) -> Any:
        order = f'{self.root}/byteorder'
        if order in self.archive.namelist() and self._record(order) != sys.byteorder.encode():
            raise UnpicklingError('UNSUPPORTED numbers in the byte order of another processor')
        pickled = self._record(f'{self.root}/data.pkl')
        return PlainUnpickler(io.BytesIO(pickled), self._storage).load()

    def _record(self, name: str) -> bytes:
        self.budget.spend(self._stored_size(name))
        return self.archive.read(name)

    def _stored_size(self, name: str) -> int:
        info = self.archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise DamagedFileError('its records are compressed, unlike those of torch.save')
        return info.file_size

    def _storage(self, dtype: torch.dtype, key: str, count: int) -> Storage:
        name = f'{self.root}/data/{key}'
        if name not in self.storages:
            if self._stored_size(name) != count * dtype.itemsize:
                raise DamagedFileError(f'record {key} is of another size than its tensor')
            self.budget.spend(count * dtype.itemsize)
            with self.archive.open(name) as record:
                # zipfile compares the checksum when the whole record has been read.
                numbers = _read_numbers(record, dtype, count)
            self.storages[name] = Storage(dtype, numbers)
        return _same_type(self.storages[name], dtype)


class _LegacyCheckpoint:
    """The format before torch 1.6: five pickles, then the storages, without checksums."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self.budget = _ByteBudget(size)
        self.storages: dict[str, Storage] = {}

    def load(self) -> Any:
        self._check_magic()
        _version, system = self._unpickle(), self._unpickle()
        if system.get('little_endian') is not (sys.byteorder == 'little'):
            raise UnpicklingError('UNSUPPORTED numbers in the byte order of another processor')
        content = self._unpickle(self._declare)
        keys = self._unpickle()
        if sorted(keys) != sorted(self.storages):
            raise DamagedFileError('its list of storages does not match its tensors')
        for key in keys:
            numbers = self.storages[key].numbers
            if struct.unpack('<q', self.file.read(8)) != (numbers.numel(),):
                raise DamagedFileError(f'storage {key} is of another size than its tensor')
            _fill(self.file, numbers)
        return content

    def _check_magic(self) -> None:
        try:
            magic = self._unpickle()
        except Exception as error:  # a malformed pickle can raise many types
            raise UnpicklingError(str(error) or 'no pickle') from error
        if magic != LEGACY_MAGIC:
            raise UnpicklingError('no magic number')

    def _unpickle(self, load_storage: Callable[..., Storage] | None = None) -> Any:
        # A pickle can request gigabytes at once, which a file object would allocate before reading.
        stream = SimpleNamespace(read=self._read, readline=partial(self.file.readline, 4096))
        return PlainUnpickler(stream, load_storage or _no_storage).load()

    def _read(self, size: int) -> bytes:
        return self.file.read(min(size, self.size - self.file.tell()))

    def _declare(self, dtype: torch.dtype, key: str, count: int) -> Storage:
        if key not in self.storages:
            self.budget.spend(count * dtype.itemsize)
            self.storages[key] = Storage(dtype, torch.empty(count, dtype=dtype))
        if self.storages[key].numbers.numel() != count:
            raise DamagedFileError(f'storage {key} has two sizes')
        return _same_type(self.storages[key], dtype)


def _same_type(storage: Storage, dtype: torch.dtype) -> Storage:
    if storage.dtype != dtype:
        raise DamagedFileError('a storage has two types')
    return storage


def _no_storage(*_arguments: object) -> Storage:
    raise UnpicklingError('a tensor outside the main pickle')


def _read_numbers(stream: Any, dtype: torch.dtype, count: int) -> Tensor:
    numbers = torch.empty(count, dtype=dtype)
    _fill(stream, numbers)
    if stream.read(1):
        raise DamagedFileError('a record is longer than declared')
    return numbers


def _fill(stream: Any, numbers: Tensor) -> None:
    """Fill a tensor with the next bytes of a stream."""
    raw = numbers.view(torch.uint8) if numbers.numel() else torch.empty(0, dtype=torch.uint8)
    view = raw.numpy().data
    done = 0
    while done < len(view):
        count = stream.readinto(view[done : done + CHUNK])
        if not count:
            raise DamagedFileError('it ends in the middle of a tensor')
        done += count
    if numbers.dtype == torch.bool:  # other bytes than 0 and 1 would be undefined behavior
        raw.copy_(raw != 0)
