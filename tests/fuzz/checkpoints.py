"""Pickles from the unpickler's own grammar and changed checkpoints, read in both file formats.

Half of the files hold pickles of nested values, calls of every name that the unpickler knows and of
others, and states. The other half are whole checkpoints with a few bytes changed. Reading one
returns plain values, each of which is then used, or raises CheckpointError; weights may not change
without an error in the zip format, which has checksums.
"""

import collections
import io
import pickle
import resource
import struct
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from mmengine.logging import HistoryBuffer

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.checkpoints.archives import LEGACY_MAGIC
from mmdet_cleargrasp.checkpoints.safe_globals import SAFE_GLOBALS
from mmdet_cleargrasp.utils.errors import CheckpointError

ELEMENTS = 10
LARGEST_GROWTH = 600_000  # KiB of memory over a whole run
LONGEST = 10.0  # seconds of the processor for one file of a few kilobytes
OTHERS = ['os.system', 'builtins.eval', 'builtins.exec', 'numpy.frombuffer', 'torch.load',
          'torch.Tensor.set_', 'numpy.core.multiarray.fromstring', 'copyreg._reconstructor',
          'builtins.object', 'torch.FloatTensor', 'pickle.loads', 'builtins.__import__']  # fmt: skip


def number(value):
    """Opcodes of an integer."""
    data = pickle.encode_long(value)
    return pickle.LONG1 + bytes([len(data)]) + data


def text(value):
    data = value.encode('utf-8', 'surrogatepass')
    return pickle.BINUNICODE + struct.pack('<I', len(data)) + data


def raw(value):
    return pickle.BINBYTES + struct.pack('<I', len(value)) + value


def named(name):
    module, _, attribute = name.rpartition('.')
    return pickle.GLOBAL + f'{module}\n{attribute}\n'.encode()


def called(function, *arguments):
    return function + pickle.MARK + b''.join(arguments) + pickle.TUPLE + pickle.REDUCE


SIZES = st.one_of(
    st.integers(-2, 12), st.sampled_from([2**31, 2**40, 2**62, 2**63 - 1, 2**64, -(2**63)])
)
TYPES = st.sampled_from(['f8', 'f4', 'i8', 'u1', 'b1', 'c16', 'O', 'O8', 'V8', 'U3', 'S4', 'M8', 'f2',
                         'f8,f8', '(2,)f8', 'x', ''])  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from([pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.EMPTY_TUPLE,
                     pickle.EMPTY_LIST, pickle.EMPTY_DICT]),
    SIZES.map(number),
    st.floats().map(lambda value: pickle.BINFLOAT + struct.pack('>d', value)),
    st.text(max_size=8).map(text),
    st.sampled_from(['latin1', '<', '|', '>', 'storage', 'min', '_log_history', 'max_length']).map(text),
    st.binary(max_size=24).map(raw),
)  # fmt: skip
NAMES = st.one_of(st.sampled_from(sorted(SAFE_GLOBALS)), st.sampled_from(OTHERS)).map(named)
TUPLES = st.lists(SIZES, max_size=4).map(
    lambda sizes: pickle.MARK + b''.join(map(number, sizes)) + pickle.TUPLE
)
STORAGES = st.builds(
    lambda kind, key, size: pickle.MARK + text('storage') + named(kind) + text(key) + text('cpu')
    + number(size) + pickle.TUPLE + pickle.BINPERSID,
    st.sampled_from([name for name in sorted(SAFE_GLOBALS) if name.endswith('Storage')]),
    st.sampled_from(['0', '1', '../0', '']),
    st.sampled_from([ELEMENTS, ELEMENTS, 0, 1, 2**40, 2**62]),
)  # fmt: skip
TENSORS = st.builds(
    lambda name, *parts: called(named(f'torch._utils.{name}'), *parts),
    st.sampled_from(['_rebuild_tensor', '_rebuild_tensor_v2', '_rebuild_tensor_v3']),
    STORAGES, SIZES.map(number), TUPLES, TUPLES, st.just(pickle.NEWFALSE), st.just(pickle.NONE),
)  # fmt: skip
NUMPY_TYPES = st.builds(
    lambda name, order, flags: called(named('numpy.dtype'), text(name), pickle.NEWFALSE,
                                      pickle.NEWTRUE)
    + pickle.MARK + number(3) + text(order) + pickle.NONE * 3 + number(flags) * 3 + pickle.TUPLE
    + pickle.BUILD,
    TYPES, st.sampled_from('<>|='), st.integers(-1, 63),
)  # fmt: skip
ARRAYS = st.builds(
    lambda kind, shape, data: called(named('numpy.core.multiarray._reconstruct'),
                                     named('numpy.ndarray'), pickle.EMPTY_TUPLE, raw(b'b'))
    + pickle.MARK + number(1) + shape + kind + pickle.NEWFALSE + raw(data) + pickle.TUPLE
    + pickle.BUILD,
    NUMPY_TYPES, TUPLES, st.one_of(st.binary(max_size=32), st.sampled_from([8, 16, 24]).map(bytes)),
)  # fmt: skip
NUMPY_SCALARS = st.builds(
    lambda kind, data: called(named('numpy.core.multiarray.scalar'), kind, raw(data)),
    NUMPY_TYPES, st.one_of(st.binary(max_size=16), st.just(b'\x41' * 8)),
)  # fmt: skip
HISTORIES = st.builds(
    lambda log, counts: named(f'{HistoryBuffer.__module__}.HistoryBuffer') + pickle.EMPTY_TUPLE
    + pickle.NEWOBJ + pickle.EMPTY_DICT + pickle.MARK + text('_log_history') + log
    + text('_count_history') + counts + text('max_length') + number(1000) + pickle.SETITEMS
    + pickle.BUILD,
    ARRAYS, ARRAYS,
)  # fmt: skip


def compounds(values):
    """Containers, calls and states of values."""
    parts = st.lists(values, max_size=4).map(b''.join)
    return st.one_of(
        parts.map(lambda inner: pickle.MARK + inner + pickle.TUPLE),
        parts.map(lambda inner: pickle.EMPTY_LIST + pickle.MARK + inner + pickle.APPENDS),
        st.builds(lambda key, value: pickle.EMPTY_DICT + key + value + pickle.SETITEM, values, values),
        st.builds(lambda target, *pair: target + pair[0] + pair[1] + pickle.SETITEM, values, values,
                  values),
        st.builds(lambda name, inner: called(name, inner), NAMES, parts),
        st.builds(lambda one, other: one + other + pickle.REDUCE, values, values),
        st.builds(lambda one, other: one + other + pickle.NEWOBJ, values, values),
        st.builds(lambda one, other: one + other + pickle.BUILD, values, values),
        st.builds(lambda one, index: one + pickle.BINPUT + bytes([index]) + pickle.BINGET
                  + bytes([index]) + pickle.TUPLE2, values, st.integers(0, 255)),
        st.builds(lambda value, depth: value + pickle.TUPLE1 * depth, values,
                  st.sampled_from([1, 5, 3000])),
    )  # fmt: skip


LEAVES = st.one_of(SCALARS, NAMES, STORAGES, TENSORS, NUMPY_TYPES, ARRAYS, NUMPY_SCALARS, HISTORIES)
PICKLES = st.recursive(LEAVES, compounds, max_leaves=8).map(
    lambda value: pickle.PROTO + b'\x02' + value + pickle.STOP
)


def as_zip(pickled):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as archive:
        archive.writestr('a/data.pkl', pickled)
        archive.writestr('a/byteorder', sys.byteorder)
        archive.writestr('a/data/0', np.arange(ELEMENTS, dtype=np.float32).tobytes())
        archive.writestr('a/data/1', bytes(8 * ELEMENTS))
    return stream.getvalue()


def as_legacy(pickled):
    system = {'protocol_version': 1001, 'little_endian': sys.byteorder == 'little'}
    head = b''.join(pickle.dumps(part, 2) for part in (LEGACY_MAGIC, 1001, system))
    storage = struct.pack('<q', ELEMENTS) + np.arange(ELEMENTS, dtype=np.float32).tobytes()
    return head + pickled + pickle.dumps(['0'], 2) + storage


def whole_checkpoint(legacy):
    """A checkpoint of training in little."""
    history = HistoryBuffer()
    history.update(0.5)
    generator = torch.Generator().manual_seed(0)
    weights = collections.OrderedDict(
        (f'layer{k}.weight', torch.rand(40, generator=generator)) for k in range(10)
    )
    content = {'state_dict': weights, 'meta': {'epoch': 3, 'dataset_meta': {'classes': ('a', 'b')}},
               'message_hub': {'loss': history}, 'best': np.float64(0.5),
               'optimizer': {'state': {0: {'momentum_buffer': torch.rand(40)}}}}  # fmt: skip
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue(), weights


WHOLE = {legacy: whole_checkpoint(legacy) for legacy in (False, True)}
CHANGES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=3)


def use(value, depth=0):
    """Touch everything that was read: wrong pointers show here."""
    if isinstance(value, torch.Tensor):
        value.reshape(-1)[:100].tolist()
    elif isinstance(value, np.ndarray | np.generic):
        np.asarray(value).reshape(-1)[:100].tolist()
    elif isinstance(value, HistoryBuffer):
        value.update(1.0)
    elif depth < 50 and isinstance(value, dict | list | tuple | set):
        for part in value.values() if isinstance(value, dict) else value:
            use(part, depth + 1)


class Fuzzer:
    """Reads what it is given and counts what happened."""

    def __init__(self, folder):
        self.path = Path(folder) / 'fuzzed.pth'
        self.counts = collections.Counter()
        self.baseline = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def read(self, content, kind):
        """What a file holds; ``None`` where it was refused."""
        self.path.write_bytes(content)
        start = time.process_time()
        try:
            found = read_checkpoint(self.path)
            use(found)
        except CheckpointError:
            self.counts[f'{kind}, refused'] += 1
            found = None
        else:
            self.counts[f'{kind}, read'] += 1
        assert time.process_time() - start < LONGEST
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert peak - self.baseline < LARGEST_GROWTH, f'{peak - self.baseline} KiB more memory'
        return found

    def changed(self, legacy, changes):
        """Read a whole checkpoint with changed bytes."""
        content, weights = WHOLE[legacy]
        content = bytearray(content)
        for place, change in changes:
            content[place % len(content)] ^= change
        found = self.read(bytes(content), f'{"legacy" if legacy else "zip"} with changed bytes')
        if found is not None and not same_weights(found, weights):
            assert legacy, 'other weights without an error'
            self.counts['legacy with changed bytes, other weights'] += 1


def same_weights(found, weights):
    state = found.get('state_dict') if isinstance(found, dict) else None
    return isinstance(state, dict) and all(
        isinstance(state.get(name), torch.Tensor) and torch.equal(state[name], tensor)
        for name, tensor in weights.items()
    )


def fuzz(folder, *, seed, count, seconds):
    """Read files until one of the limits is reached.

    Args:
        folder: Gets the last file.
        seed: Another one, other files.
        count: Most files, in batches of 400.
        seconds: Most seconds.

    Returns:
        How many of each kind had each outcome.
    """
    fuzzer = Fuzzer(folder)
    options = settings(max_examples=200, database=None, deadline=None, phases=[Phase.generate],
                       suppress_health_check=list(HealthCheck))  # fmt: skip

    @options
    @given(PICKLES, st.booleans())
    def pickles(pickled, legacy):
        write = as_legacy if legacy else as_zip
        fuzzer.read(write(pickled), f'{"legacy" if legacy else "zip"} pickles')

    @options
    @given(st.booleans(), CHANGES)
    def changes(legacy, changed):
        fuzzer.changed(legacy, changed)

    end = time.monotonic() + seconds
    for batch in range(-(-count // 400)):
        if time.monotonic() > end:
            break
        seeded(seed + batch)(pickles)()
        seeded(seed + batch)(changes)()
    return fuzzer.counts
