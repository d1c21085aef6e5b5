"""The pickles inside checkpoints, interpreted without running anything that a file names.

A pickle is a program: it names functions, calls them with arguments of its choice, and changes what
they return. :class:`PlainUnpickler` knows the opcodes that ``torch.save`` writes and looks every
name up in one table, :data:`GLOBALS`. What stands there builds tensors, arrays, numbers, text and
containers, checks its arguments first, and takes no more memory than the file holds.
"""

from __future__ import annotations

import math
import pickle
from argparse import Namespace
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pickle import UnpicklingError
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

#: Opcodes of pickle's protocols 2 to 4 without those that only other objects need, and without
#: those whose cost is out of proportion (numbers of any length as text).
OPCODES = (
    'PROTO', 'FRAME', 'STOP', 'MARK', 'GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'NEWOBJ', 'BUILD',
    'BINPERSID', 'NONE', 'NEWTRUE', 'NEWFALSE', 'BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT',
    'BINUNICODE', 'SHORT_BINUNICODE', 'BINSTRING', 'SHORT_BINSTRING', 'BINBYTES', 'SHORT_BINBYTES',
    'EMPTY_TUPLE', 'TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3', 'EMPTY_LIST', 'APPEND', 'APPENDS',
    'EMPTY_DICT', 'SETITEM', 'SETITEMS', 'BINGET', 'LONG_BINGET', 'BINPUT', 'LONG_BINPUT',
    'MEMOIZE',
)  # fmt: skip
#: Keys of dicts. Nested tuples are none: hashing deep ones overflows the interpreter's stack.
KEYS = (str, bytes, int, float, bool, type(None))
#: Kinds of numpy's types whose values are nothing but their bytes: boolean, integer, floating
#: point, complex, date and duration.
PLAIN_KINDS = 'biufcMm'
LARGEST_DIMENSION = 2**62
#: Values that the calls of a pickle may take, for each byte of it. A value can be used in many
#: calls, each of which copies it: with two bytes a use, a few kilobytes would fill the memory.
VALUES_PER_BYTE = 8
#: Values of one argument that cost nothing, and of a whole pickle likewise.
FREE_VALUES, FREE_TOTAL = 8, 4096


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int = -1, /) -> bytes: ...  # noqa: D102
    def readline(self, size: int = -1, /) -> bytes: ...  # noqa: D102


@dataclass(frozen=True)
class Storage:
    """The numbers of a file that tensors are views of.

    Attributes:
        dtype: Of the numbers.
        numbers: (N,), of that type.
    """

    dtype: torch.dtype
    numbers: Tensor


@dataclass(frozen=True)
class StorageType:
    """What a pickle names to say how a storage's bytes are read."""

    dtype: torch.dtype


@dataclass(frozen=True)
class Builder:
    """Replacement for a function or class that a pickle names."""

    build: Callable[..., Any]


@dataclass
class _NumpyType:
    """A numpy type while a pickle is still describing it."""

    name: str
    order: Literal['<', '>', '=', '|'] = '='

    def dtype(self) -> np.dtype:
        found = np.dtype(self.name).newbyteorder(self.order)
        if found.kind not in PLAIN_KINDS or found.hasobject or found.fields is not None:
            raise UnpicklingError(f'numpy type {self.name!r} is not plain numbers')
        return found


class _CountedStream:
    """A stream that knows how many bytes were read."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        return self._counted(self._stream.read(size))

    def readline(self, size: int = -1, /) -> bytes:
        return self._counted(self._stream.readline())

    def _counted(self, data: bytes) -> bytes:
        self.count += len(data)
        return data


class PlainUnpickler(pickle._Unpickler):
    """Interpret one pickle of a checkpoint.

    Args:
        stream: At the pickle's start; reads of more bytes than there are must be cheap.
        load_storage: Gives the storage of a type, key and number of elements, and refuses
            more than the file holds.

    Raises:
        UnpicklingError: From ``load``, at a name or an operation that is not known; other types
            come from pickles that are malformed.
    """

    # Of pickle's Python implementation; typeshed describes the one in C, which hides them.
    stack: list[Any]
    pop_mark: Callable[[], list[Any]]

    def __init__(
        self, stream: Readable, load_storage: Callable[[torch.dtype, str, int], Storage]
    ) -> None:
        self._counted_stream = _CountedStream(stream)
        super().__init__(self._counted_stream, encoding='utf-8')
        self._load_storage = load_storage
        self._values = 0

    def find_class(self, module: str, name: str) -> object:
        """Return the replacement for a name from this module's table."""
        try:
            return GLOBALS[f'{module}.{name}']
        except KeyError:
            raise UnpicklingError(f'GLOBAL {module}.{name} is not allowed') from None

    def persistent_load(self, pid: Any) -> Storage:
        """The storage that a pickle refers to."""
        kind, storage_type, key, _device, size, *view = pid
        if kind != 'storage' or not isinstance(storage_type, StorageType) or any(view):
            raise UnpicklingError('a persistent id other than that of a storage')
        if not isinstance(key, str | int) or type(size) is not int or size < 0:
            raise UnpicklingError('a malformed storage')
        return self._load_storage(storage_type.dtype, str(key), size)

    def _call(self) -> None:
        arguments = self.stack.pop()
        builder = self.stack[-1]
        if not isinstance(builder, Builder) or type(arguments) is not tuple:
            raise UnpicklingError(f'a call of a {type(builder).__name__}')
        self._spend(*arguments)
        self.stack[-1] = builder.build(*arguments)

    def _set_state(self) -> None:
        state = self.stack.pop()
        parts = state.values() if type(state) is dict else state if type(state) is tuple else ()
        self._spend(state, *parts)
        set_state(self.stack[-1], state)

    def _spend(self, *values: object) -> None:
        """Refuse calls that copy more than the pickle can have brought."""
        self._values += sum(max(0, _count(value) - FREE_VALUES) for value in values)
        if self._values > VALUES_PER_BYTE * self._counted_stream.count + FREE_TOTAL:
            raise UnpicklingError('a value that is copied so often that it would fill the memory')

    def _append(self) -> None:
        value = self.stack.pop()
        self._extend(self.stack[-1], [value])

    def _append_all(self) -> None:
        values = self.pop_mark()
        self._extend(self.stack[-1], values)

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update(self.stack[-1], [key, value])

    def _set_items(self) -> None:
        pairs = self.pop_mark()
        self._update(self.stack[-1], pairs)

    @staticmethod
    def _extend(target: object, values: list[Any]) -> None:
        if type(target) is not list:
            raise UnpicklingError(f'an append to a {type(target).__name__}')
        target.extend(values)

    @staticmethod
    def _update(target: object, pairs: list[Any]) -> None:
        if type(target) not in (dict, OrderedDict, Counter):
            raise UnpicklingError(f'an item set in a {type(target).__name__}')
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[_key(key)] = value  # type: ignore[index]

    dispatch: ClassVar[dict[int, Callable[..., None]]] = {
        **{
            getattr(pickle, name)[0]: pickle._Unpickler.dispatch[getattr(pickle, name)[0]]
            for name in OPCODES
        },
        pickle.REDUCE[0]: _call,
        pickle.NEWOBJ[0]: _call,
        pickle.BUILD[0]: _set_state,
        pickle.APPEND[0]: _append,
        pickle.APPENDS[0]: _append_all,
        pickle.SETITEM[0]: _set_item,
        pickle.SETITEMS[0]: _set_items,
    }


def _count(value: object) -> int:
    """Number of parts of a value that a call would copy."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    return len(value) if isinstance(value, str | bytes | bytearray | list | tuple | dict) else 0


def set_state(target: object, state: Any) -> None:
    """Give an object that a builder made the state that the pickle has for it.

    Raises:
        UnpicklingError: A state that does not belong to the object.
    """
    if type(target) is _NumpyType:
        _version, target.order = state[:2]
        if len(state) == 9:  # a date's unit
            target.name += f'[{_ascii(state[8][1][0])}]'
        if target.order not in ('<', '>', '=', '|') or state[2:5] != (None, None, None):
            raise UnpicklingError('a numpy type of several parts')
    elif type(target) is np.ndarray:
        _fill_array(target, *state)
    elif type(target) is HistoryBuffer:
        _fill_history(target, state)
    elif type(target) is OrderedDict:
        # A state dict's versions of its modules; other attributes would hide its methods.
        target.__dict__.update({k: v for k, v in state.items() if k == '_metadata'})
    elif type(target) is Namespace:
        target.__dict__.update({k: v for k, v in state.items() if type(k) is str})
    else:
        raise UnpicklingError(f'a state for a {type(target).__name__}')


def _key(value: object) -> object:
    plain = type(value) in KEYS or (
        type(value) is tuple and all(type(part) in KEYS for part in value)
    )
    if not plain:
        raise UnpicklingError(f'a {type(value).__name__} as a key')
    return value


def _sizes(values: object) -> tuple[int, ...]:
    """Sizes of dimensions, or strides."""
    if not isinstance(values, tuple) or len(values) > 32:
        raise UnpicklingError('malformed sizes')
    if not all(type(n) is int and 0 <= n < LARGEST_DIMENSION for n in values):
        raise UnpicklingError('malformed sizes')
    return values


def _tensor(
    storage: object,
    offset: object,
    size: object,
    stride: object,
    _requires_grad: object = False,
    _hooks: object = None,
    metadata: object = None,
) -> Tensor:
    """A view of a storage, every element of which lies in it."""
    size, stride = _sizes(size), _sizes(stride)
    if not isinstance(storage, Storage) or type(offset) is not int or offset < 0 or metadata:
        raise UnpicklingError('a malformed tensor')
    if len(size) != len(stride):
        raise UnpicklingError('a malformed tensor')
    elements, held = math.prod(size), storage.numbers.numel()
    if not elements:
        return torch.empty(size, dtype=storage.dtype)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if last >= held:
        raise UnpicklingError('a tensor that reaches beyond its storage')
    if elements > held:
        raise UnpicklingError(
            f'a tensor of {elements:,} elements over {held:,} that the file holds (expanded)'
        )
    return storage.numbers.as_strided(size, stride, offset)


def _typed_tensor(
    storage: Storage, offset: int, size: object, stride: object, _grad: object, _hooks: object,
    dtype: object, metadata: object = None,
) -> Tensor:  # fmt: skip
    """The same, of a type that has no storage type of its own; the storage is of bytes."""
    if not isinstance(dtype, torch.dtype) or not isinstance(storage, Storage):
        raise UnpicklingError('a malformed tensor')
    return _tensor(Storage(dtype, storage.numbers.view(dtype)), offset, size, stride,
                   metadata=metadata)  # fmt: skip


def _parameter(data: object, *_others: object) -> Tensor:
    if not isinstance(data, Tensor):
        raise UnpicklingError('a malformed parameter')
    return data


def _tensor_with_attributes(
    builder: object, _type: object, arguments: object, _state: object
) -> Tensor:
    known = [Builder(_tensor), Builder(_typed_tensor), Builder(_parameter)]
    if builder not in known or type(arguments) is not tuple:
        raise UnpicklingError('a malformed tensor')
    return builder.build(*arguments)


def _refuse(what: str) -> Builder:
    """A builder that names what it does not build."""

    def build(*_arguments: object) -> None:
        raise UnpicklingError(f'UNSUPPORTED {what}')

    return Builder(build)


def _encode(text: object, encoding: object) -> bytes:
    """How protocol 2 writes bytes."""
    if type(text) is not str or encoding not in ('latin1', 'latin-1'):
        raise UnpicklingError('malformed bytes')
    return text.encode('latin1')


def _numpy_type(name: object, *_flags: object) -> _NumpyType:
    if type(name) is not str or len(name) > 16:
        raise UnpicklingError('a malformed numpy type')
    return _NumpyType(name)


def _numbers(numpy_type: object, data: object, count: int) -> np.ndarray:
    """An array over bytes, as many of them as there have to be."""
    if type(numpy_type) is not _NumpyType or not isinstance(data, bytes | bytearray):
        raise UnpicklingError('a malformed numpy array')
    dtype = numpy_type.dtype()
    if len(data) != count * dtype.itemsize or not dtype.itemsize:
        raise UnpicklingError('a numpy array of another size than its bytes')
    numbers = np.frombuffer(bytes(data), dtype).astype(dtype.newbyteorder('='))
    return numbers != 0 if dtype.kind == 'b' else numbers


def _ascii(text: object) -> str:
    return text.decode('ascii') if type(text) is bytes else str(text)[:16]


def _scalar(numpy_type: object, data: object = None) -> object:
    if type(numpy_type) is _NumpyType and numpy_type.name[:1] in 'US':  # text and bytes
        if type(data) is not bytes:
            raise UnpicklingError('malformed numpy text')
        encoding = 'utf-32-be' if numpy_type.order == '>' else 'utf-32-le'
        return data.decode(encoding) if numpy_type.name[0] == 'U' else data
    return _numbers(numpy_type, data, 1)[0]


def _empty_array(*_arguments: object) -> np.ndarray:
    return np.empty(0)


def _fill_array(
    target: np.ndarray, _version: object, shape: object, numpy_type: object, fortran: object,
    data: object,
) -> None:  # fmt: skip
    shape = _sizes(shape)
    numbers = _numbers(numpy_type, data, math.prod(shape))
    # The array is known to the pickle by now: it has to be filled where it is.
    state = (1, shape, numbers.dtype, bool(fortran), numbers.tobytes())
    target.__setstate__(state)  # type: ignore[arg-type]  # Python's bool does as well as numpy's


def _fill_history(target: HistoryBuffer, state: Any) -> None:
    log, counts, longest = (state[k] for k in ('_log_history', '_count_history', 'max_length'))
    for array in (log, counts):
        if type(array) is not np.ndarray or array.ndim != 1 or array.dtype.kind not in 'iuf':
            raise UnpicklingError('a malformed log history')
    if type(longest) is not int or longest < 1:
        raise UnpicklingError('a malformed log history')
    target.__init__(log, counts, longest)


def _history_method(owner: object, name: object) -> None:
    """Mmengine pickles four methods by name; they are its own, and it knows them without."""
    expected = GLOBALS[f'{HistoryBuffer.__module__}.HistoryBuffer']
    if owner is not expected or name not in ('min', 'max', 'mean', 'current'):
        raise UnpicklingError(f'GLOBAL getattr {name} is not allowed')


def _ordered_dict(pairs: object = ()) -> OrderedDict:
    pairs = list(pairs.items()) if type(pairs) is dict else pairs
    if not isinstance(pairs, list | tuple):
        raise UnpicklingError('a malformed dict')
    return OrderedDict((_key(key), value) for key, value in pairs)


def _counter(counts: object = None) -> Counter:
    if counts is not None and type(counts) is not dict:
        raise UnpicklingError('a malformed counter')
    return Counter(counts)


def _set(values: object = ()) -> set:
    if not isinstance(values, list | tuple):
        raise UnpicklingError('a malformed set')
    return {_key(value) for value in values}


def _bytearray(data: object = b'', encoding: object = None) -> bytearray:
    if type(data) is str:
        data = _encode(data, encoding)
    if type(data) is not bytes:  # a number would ask for so much memory
        raise UnpicklingError('malformed bytes')
    return bytearray(data)


def _complex(real: object, imaginary: object) -> complex:
    if not (isinstance(real, int | float) and isinstance(imaginary, int | float)):
        raise UnpicklingError('a malformed number')
    return complex(real, imaginary)


def _text(*parts: object) -> str:
    """A path, as those that checkpoints keep of command lines."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise UnpicklingError('a malformed path')
    return '/'.join(texts).replace('//', '/')


def _size(sizes: object) -> torch.Size:
    return torch.Size(_sizes(tuple(sizes) if type(sizes) is list else sizes))


def _bytes(*arguments: object) -> bytes:
    """How protocol 2 writes no bytes."""
    if arguments:
        raise UnpicklingError('malformed bytes')
    return b''


def _device(kind: object, index: object = 0) -> str:
    return f'{kind}:{index}' if type(kind) is str and type(index) is int else 'cpu'


STORAGES = {
    'Double': torch.float64, 'Float': torch.float32, 'Half': torch.float16,
    'BFloat16': torch.bfloat16, 'Long': torch.int64, 'Int': torch.int32, 'Short': torch.int16,
    'Char': torch.int8, 'Byte': torch.uint8, 'Bool': torch.bool, 'ComplexFloat': torch.complex64,
    'ComplexDouble': torch.complex128,
}  # fmt: skip
#: Types of tensors; those without a storage type of their own came with torch 2.1 to 2.3.
DTYPES = (
    *STORAGES.values(), torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn,
    torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz,
)  # fmt: skip
QUANTIZED = ('QInt8', 'QUInt8', 'QInt32', 'QUInt4x2', 'QUInt2x4')

#: All names that a checkpoint's pickle may use, and their replacements.
GLOBALS: dict[str, object] = {
    **{f'torch.{name}Storage': StorageType(dtype) for name, dtype in STORAGES.items()},
    **{f'torch.{name}Storage': StorageType(torch.uint8) for name in QUANTIZED},
    'torch.storage.UntypedStorage': StorageType(torch.uint8),
    'torch.storage._UntypedStorage': StorageType(torch.uint8),
    **{str(dtype): dtype for dtype in DTYPES},
    'torch._utils._rebuild_tensor': Builder(_tensor),
    'torch._utils._rebuild_tensor_v2': Builder(_tensor),
    'torch._utils._rebuild_tensor_v3': Builder(_typed_tensor),
    'torch._utils._rebuild_parameter': Builder(_parameter),
    'torch._utils._rebuild_parameter_with_state': Builder(_parameter),
    'torch._tensor._rebuild_from_type_v2': Builder(_tensor_with_attributes),
    'torch._utils._rebuild_qtensor': _refuse('a quantized tensor'),
    'torch._utils._rebuild_sparse_tensor': _refuse('a sparse tensor'),
    'torch._utils._rebuild_nested_tensor': _refuse('a nested tensor'),
    'torch._utils._rebuild_meta_tensor_no_storage': _refuse('a tensor without numbers (meta)'),
    'torch._utils._rebuild_wrapper_subclass': _refuse('a tensor of a class of its own'),
    'torch.serialization._get_layout': Builder(lambda *_: None),
    'torch.per_tensor_affine': None,
    'torch.per_channel_affine': None,
    'torch.Tensor': None,
    'torch.nn.parameter.Parameter': None,
    'torch.Size': Builder(_size),
    'torch.device': Builder(_device),
    'collections.OrderedDict': Builder(_ordered_dict),
    'collections.Counter': Builder(_counter),
    **{f'{module}.set': Builder(_set) for module in ('builtins', '__builtin__')},
    **{f'{module}.complex': Builder(_complex) for module in ('builtins', '__builtin__')},
    **{f'{module}.bytearray': Builder(_bytearray) for module in ('builtins', '__builtin__')},
    **{f'{module}.getattr': Builder(_history_method) for module in ('builtins', '__builtin__')},
    **{f'{module}.bytes': Builder(_bytes) for module in ('builtins', '__builtin__')},
    '_codecs.encode': Builder(_encode),
    'argparse.Namespace': Builder(Namespace),
    **{
        f'{module}.{name}': Builder(_text)
        for module in ('pathlib', 'pathlib._local')
        for name in ('Path', 'PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath')
    },
    'numpy.dtype': Builder(_numpy_type),
    'numpy.ndarray': None,
    **{
        f'numpy.{module}.multiarray.{name}': Builder(build)
        for module in ('core', '_core')  # numpy 1 and 2
        for name, build in (('_reconstruct', _empty_array), ('scalar', _scalar))
    },
    f'{HistoryBuffer.__module__}.HistoryBuffer': Builder(lambda: HistoryBuffer()),
}
