"""The names that a checkpoint's pickle may use, and the functions that replace them.

:data:`SAFE_GLOBALS` maps the names of functions and classes to builders for tensors, arrays and
plain values, which check their arguments. A pickle cannot call anything else.
"""

from __future__ import annotations

import math
from argparse import Namespace
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pickle import UnpicklingError
from typing import Any, Literal

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

#: Accepted types of dict keys, besides tuples of these. Nested tuples are refused: hashing deeply
#: nested ones overflows the interpreter's stack.
KEYS = (str, bytes, int, float, bool, type(None))
#: Accepted kinds of NumPy dtypes, whose values are plain bytes: boolean, integer, floating point,
#: complex, date and duration.
PLAIN_KINDS = 'biufcMm'
#: Exclusive upper limit of a size or stride, within 64-bit integers.
LARGEST_DIMENSION = 2**62


@dataclass(frozen=True)
class Storage:
    """The memory that one or several tensors of a file are views of.

    Attributes:
        dtype: Type of the elements.
        numbers: One-dimensional tensor of this type with all elements, (N,).
    """

    dtype: torch.dtype
    numbers: Tensor


@dataclass(frozen=True)
class StorageType:
    """Replacement for one of torch's storage classes: the type of its elements."""

    dtype: torch.dtype


@dataclass(frozen=True)
class Builder:
    """Replacement for a function or class that a pickle calls.

    Attributes:
        build: Function that is called with the arguments in the pickle.
    """

    build: Callable[..., Any]


@dataclass
class _NumpyType:
    """A NumPy dtype whose byte order and unit the pickle sets after creating it."""

    name: str
    order: Literal['<', '>', '=', '|'] = '='

    def dtype(self) -> np.dtype:
        found = np.dtype(self.name).newbyteorder(self.order)
        if found.kind not in PLAIN_KINDS or found.hasobject or found.fields is not None:
            raise UnpicklingError(f'numpy type {self.name!r} is not plain numbers')
        return found


def set_state(target: object, state: Any) -> None:
    """Set the state of an object that a builder has created (pickle's opcode ``BUILD``).

    Args:
        target: Object to modify.
        state: State in the pickle.

    Raises:
        UnpicklingError: The state is not valid for the object.
    """
    if type(target) is _NumpyType:
        _version, target.order = state[:2]
        if len(state) == 9:  # the unit of dates and durations
            target.name += f'[{_ascii(state[8][1][0])}]'
        if target.order not in ('<', '>', '=', '|') or state[2:5] != (None, None, None):
            raise UnpicklingError('a numpy type of several parts')
    elif type(target) is np.ndarray:
        _fill_array(target, *state)
    elif type(target) is HistoryBuffer:
        _fill_history(target, state)
    elif type(target) is OrderedDict:
        # _metadata has the versions of modules in a state dict; other attributes could replace
        # methods.
        target.__dict__.update({k: v for k, v in state.items() if k == '_metadata'})
    elif type(target) is Namespace:
        target.__dict__.update({k: v for k, v in state.items() if type(k) is str})
    else:
        raise UnpicklingError(f'a state for a {type(target).__name__}')


def check_key(value: object) -> object:
    """Return a value if it is accepted as a dict key or set element.

    Args:
        value: Value from a pickle.

    Raises:
        UnpicklingError: The value has another type than those in :data:`KEYS` and tuples of them.
    """
    plain = type(value) in KEYS or (
        type(value) is tuple and all(type(part) in KEYS for part in value)
    )
    if not plain:
        raise UnpicklingError(f'a {type(value).__name__} as a key')
    return value


def _sizes(values: object) -> tuple[int, ...]:
    """Check the sizes or strides of a tensor or array."""
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
    """Create a view of a storage, and check that all of its elements lie within the storage."""
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
    """Create a tensor of a dtype without a storage class; its storage is read as bytes."""
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
    """Return a builder that raises an error with a description of the unsupported value."""

    def build(*_arguments: object) -> None:
        raise UnpicklingError(f'UNSUPPORTED {what}')

    return Builder(build)


def _encode(text: object, encoding: object) -> bytes:
    """Replace ``_codecs.encode``, with which protocol 2 writes bytes."""
    if type(text) is not str or encoding not in ('latin1', 'latin-1'):
        raise UnpicklingError('malformed bytes')
    return text.encode('latin1')


def _numpy_type(name: object, *_flags: object) -> _NumpyType:
    if type(name) is not str or len(name) > 16:
        raise UnpicklingError('a malformed numpy type')
    return _NumpyType(name)


def _numbers(numpy_type: object, data: object, count: int) -> np.ndarray:
    """Create an array of ``count`` elements from its bytes."""
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
    # In place: the pickle may refer to the array elsewhere already.
    state = (1, shape, numbers.dtype, bool(fortran), numbers.tobytes())
    target.__setstate__(state)  # type: ignore[arg-type]  # accepts Python's bool


def _fill_history(target: HistoryBuffer, state: Any) -> None:
    log, counts, longest = (state[k] for k in ('_log_history', '_count_history', 'max_length'))
    for array in (log, counts):
        if type(array) is not np.ndarray or array.ndim != 1 or array.dtype.kind not in 'iuf':
            raise UnpicklingError('a malformed log history')
    if type(longest) is not int or longest < 1:
        raise UnpicklingError('a malformed log history')
    target.__init__(log, counts, longest)


def _history_method(owner: object, name: object) -> None:
    """Ignore the references to four of its methods that mmengine pickles with a log history."""
    expected = SAFE_GLOBALS[f'{HistoryBuffer.__module__}.HistoryBuffer']
    if owner is not expected or name not in ('min', 'max', 'mean', 'current'):
        raise UnpicklingError(f'GLOBAL getattr {name} is not allowed')


def _ordered_dict(pairs: object = ()) -> OrderedDict:
    pairs = list(pairs.items()) if type(pairs) is dict else pairs
    if not isinstance(pairs, list | tuple):
        raise UnpicklingError('a malformed dict')
    return OrderedDict((check_key(key), value) for key, value in pairs)


def _counter(counts: object = None) -> Counter:
    if counts is not None and type(counts) is not dict:
        raise UnpicklingError('a malformed counter')
    return Counter(counts)


def _set(values: object = ()) -> set:
    if not isinstance(values, list | tuple):
        raise UnpicklingError('a malformed set')
    return {check_key(value) for value in values}


def _bytearray(data: object = b'', encoding: object = None) -> bytearray:
    if type(data) is str:
        data = _encode(data, encoding)
    if type(data) is not bytes:  # an int would allocate that many bytes
        raise UnpicklingError('malformed bytes')
    return bytearray(data)


def _complex(real: object, imaginary: object) -> complex:
    if not (isinstance(real, int | float) and isinstance(imaginary, int | float)):
        raise UnpicklingError('a malformed number')
    return complex(real, imaginary)


def _text(*parts: object) -> str:
    """Return a path as text; some checkpoints hold the paths of a command line."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise UnpicklingError('a malformed path')
    return '/'.join(texts).replace('//', '/')


def _size(sizes: object) -> torch.Size:
    return torch.Size(_sizes(tuple(sizes) if type(sizes) is list else sizes))


def _bytes(*arguments: object) -> bytes:
    """Replace ``bytes()``, with which protocol 2 writes empty bytes."""
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
#: Dtypes of tensors. Those without a storage class of their own are from torch 2.1 to 2.3.
DTYPES = (
    *STORAGES.values(), torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn,
    torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz,
)  # fmt: skip
QUANTIZED = ('QInt8', 'QUInt8', 'QInt32', 'QUInt4x2', 'QUInt2x4')

#: Replacements by the names that a checkpoint's pickle may use; all others are refused.
SAFE_GLOBALS: dict[str, object] = {
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
