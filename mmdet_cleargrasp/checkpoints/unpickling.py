"""An unpickler for checkpoints that executes no code from the file.

A pickle is a program: it names functions, calls them with any arguments, and sets the state of what
they return. :class:`PlainUnpickler` accepts only the opcodes that ``torch.save`` writes, and looks
up every name in :data:`.SAFE_GLOBALS`. The functions there build tensors, arrays, numbers, text and
containers, check their arguments, and use no more memory than the size of the file.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from .safe_globals import SAFE_GLOBALS, Builder, Storage, StorageType, check_key, set_state

#: Accepted opcodes of pickle's protocols 2 to 4: those that checkpoints use, except the ones that
#: can take very long (numbers of any length as text).
OPCODES = (
    'PROTO', 'FRAME', 'STOP', 'MARK', 'GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'NEWOBJ', 'BUILD',
    'BINPERSID', 'NONE', 'NEWTRUE', 'NEWFALSE', 'BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT',
    'BINUNICODE', 'SHORT_BINUNICODE', 'BINSTRING', 'SHORT_BINSTRING', 'BINBYTES', 'SHORT_BINBYTES',
    'EMPTY_TUPLE', 'TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3', 'EMPTY_LIST', 'APPEND', 'APPENDS',
    'EMPTY_DICT', 'SETITEM', 'SETITEMS', 'BINGET', 'LONG_BINGET', 'BINPUT', 'LONG_BINPUT',
    'MEMOIZE',
)  # fmt: skip
#: Maximum number of values that the calls in a pickle may copy, per byte of the pickle. Each call
#: copies its arguments but takes a few bytes, so a few kilobytes could otherwise fill the memory.
VALUES_PER_BYTE = 8
#: Number of values that are not counted: in each argument, and in the whole pickle.
FREE_VALUES, FREE_TOTAL = 8, 4096


class Readable(Protocol):
    """A binary stream, as ``pickle.Unpickler`` reads it."""

    def read(self, size: int = -1, /) -> bytes: ...  # noqa: D102
    def readline(self, size: int = -1, /) -> bytes: ...  # noqa: D102


class _CountedStream:
    """A stream that counts the bytes that were read from it."""

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
    """Unpickler of plain values and tensors.

    ``load`` raises ``UnpicklingError`` for a name or operation that is not accepted; a malformed
    pickle can raise other exceptions.

    Args:
        stream: Binary stream at the start of the pickle. A request for more bytes than there are
            must not allocate memory for them.
        load_storage: Function that returns the storage for a dtype, key and number of elements. It
            must refuse storages that are larger than the file.

    Example:
        >>> import io
        >>> stream = io.BytesIO(pickle.dumps({'epoch': 3}, protocol=2))
        >>> PlainUnpickler(stream, lambda *_: None).load()
        {'epoch': 3}
    """

    # Attributes of pickle's Python implementation; typeshed describes the C one, which hides them.
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
        """Return the replacement for a name from :data:`.SAFE_GLOBALS`.

        Args:
            module: Module that the pickle names.
            name: Name in the module.

        Raises:
            UnpicklingError: The name is not in the table.
        """
        try:
            return SAFE_GLOBALS[f'{module}.{name}']
        except KeyError:
            raise UnpicklingError(f'GLOBAL {module}.{name} is not allowed') from None

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that a pickle refers to.

        Args:
            pid: Persistent id that ``torch.save`` wrote: ``'storage'``, storage class, key, device
                and number of elements.

        Raises:
            UnpicklingError: The id is malformed.
        """
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
        """Count values that a call copies, and refuse more than the size of the pickle allows."""
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
            target[check_key(key)] = value  # type: ignore[index]

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
    """Return the number of bytes, characters or items of a value that a call would copy."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    return len(value) if isinstance(value, str | bytes | bytearray | list | tuple | dict) else 0
