"""Checkpoints are read without executing code, with damage detected and bounded memory."""

import argparse
import collections
import os
import pathlib
import pickle
import resource
import zipfile

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.checkpoints.safe_globals import DTYPES
from mmdet_cleargrasp.utils.errors import CheckpointError

LEGACY = pytest.mark.parametrize('legacy', [False, True], ids=['zip', 'legacy'])


def save(content, path, legacy=False):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


class Malicious:
    """Creates a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


class Call:
    """Is pickled as a call of a function with arguments, and optionally a state."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def history():
    found = HistoryBuffer()
    found.update(0.5)
    found.update(2, count=3)
    return found


@LEGACY
@pytest.mark.parametrize('dtype', DTYPES, ids=str)
def test_tensors_of_every_type_round_trip(tmp_path, legacy, dtype):
    values = torch.arange(12).to(dtype)
    tensors = {'whole': values, 'turned': values.view(3, 4).t(), 'part': values[2:5],
               'single': values[1].clone(), 'none': values[:0].view(0, 7)}  # fmt: skip
    found = read_checkpoint(save(tensors, tmp_path / 'a.pth', legacy))
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (dtype, tensor.shape)
        assert found[name].tolist() == tensor.tolist()
    same = {found[name].untyped_storage().data_ptr() for name in ('whole', 'turned', 'part')}
    assert len(same) == 1  # shared, as in torch.load


@LEGACY
@pytest.mark.parametrize(
    'value',
    [
        None, True, 3, 2**80, -2.5, 1 + 2j, 'Schüssel', b'', b'abc', bytearray(b'x'), (1, 'a'), [],
        {'a': {1: 2}, 3: 4}, {1, 2}, collections.Counter({8: 1}), torch.Size([2, 3]),
        collections.OrderedDict(a=1), np.float64(0.25), np.float32(1), np.float16(1), np.int64(-3),
        np.uint8(200), np.bool_(True), np.complex64(1j), np.longdouble(1.25), np.str_('é'),
        np.bytes_(b'ab'), np.datetime64('2020-01-01'), np.timedelta64(3, 's'),
        argparse.Namespace(lr=0.1),
    ],
    ids=repr,
)  # fmt: skip
def test_other_values_round_trip(tmp_path, legacy, value):
    found = read_checkpoint(save({'value': value}, tmp_path / 'a.pth', legacy))['value']
    assert found == value
    assert type(found) is (type(value) if not isinstance(value, np.character) else type(found))


def test_paths_and_devices_are_read_as_text(tmp_path):
    arguments = argparse.Namespace(out=pathlib.Path('/a/b'), device=torch.device('cuda:1'))
    found = read_checkpoint(save({'args': arguments}, tmp_path / 'a.pth'))['args']
    assert (found.out, found.device) == ('/a/b', 'cuda:1')


@LEGACY
@pytest.mark.parametrize('array', [np.arange(6).reshape(2, 3), np.zeros((0, 2)), np.ones(3, '>f4'),
                                   np.asfortranarray(np.eye(3)[:2])])  # fmt: skip
def test_arrays_round_trip(tmp_path, legacy, array):
    found = read_checkpoint(save({'counts': array}, tmp_path / 'a.pth', legacy))['counts']
    assert type(found) is np.ndarray
    assert found.tolist() == array.tolist()
    assert found.dtype.kind == array.dtype.kind


def test_the_log_history_of_mmengine_round_trips(tmp_path):
    content = {'message_hub': {'loss': history()}}
    found = read_checkpoint(save(content, tmp_path / 'a.pth'))['message_hub']['loss']
    assert found.data[0].tolist() == [0.5, 2.0]
    assert found.mean() == history().mean()
    found.update(1.0)


@pytest.mark.parametrize('module', ['numpy.core.multiarray', 'numpy._core.multiarray'])
def test_arrays_of_numpy_1_and_2_are_read(tmp_path, module):
    content = save({'counts': np.arange(3)}, tmp_path / 'run.pth', legacy=True).read_bytes()
    own = np.zeros(0).__reduce__()[0].__module__
    (tmp_path / 'run.pth').write_bytes(content.replace(own.encode(), module.encode()))
    assert read_checkpoint(tmp_path / 'run.pth')['counts'].tolist() == [0, 1, 2]


def test_metadata_of_a_state_dict_is_kept_and_other_attributes_are_not(tmp_path):
    state = torch.nn.BatchNorm2d(2).state_dict()
    found = read_checkpoint(save(state, tmp_path / 'a.pth'))
    assert found._metadata == state._metadata
    hidden = Call(collections.OrderedDict, (), {'items': 'no method any more'})
    assert not read_checkpoint(save(hidden, tmp_path / 'a.pth')).items()


@pytest.mark.parametrize('save', [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_a_malicious_pickle_is_refused_and_not_executed(tmp_path, save):
    trace = tmp_path / 'trace'
    save({'state_dict': Malicious(trace)}, tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match='nothing of it was executed'):
        read_checkpoint(tmp_path / 'bad.pth')
    assert not trace.exists()


new_array = np.zeros(0).__reduce__()[0]
ARRAY = (np.ndarray, (0,), b'b')
# States that turn a NumPy dtype into one of Python objects, whose bytes are pointers.
FIELDS = (3, '|', None, ('a',), {'a': (np.dtype('O'), 0)}, 8, 1, 63)
FLAGS = (3, '|', None, None, None, 8, 1, 63)


def nested_key(depth=200_000):
    """Pickle of a dict whose key is a deeply nested tuple."""
    return b'\x80\x02}' + b')' + b'\x85' * depth + b'Ns.'


@LEGACY
@pytest.mark.parametrize(
    'value',
    [
        Call(getattr, (HistoryBuffer, '__init__')),
        Call(getattr, (np.ndarray, 'tofile')),
        Call(new_array, ARRAY, (1, (1,), Call(np.dtype, ('f8,O', False, True)), False, b'\x41' * 8)),
        Call(new_array, ARRAY, (1, (1,), Call(np.dtype, ('(2,)f8', False, True)), False, bytes(16))),
        Call(new_array, ARRAY, (1, (1,), Call(np.dtype, ('f8', False, True), FIELDS), False, bytes(8))),
        Call(new_array, ARRAY, (1, (1,), Call(np.dtype, ('V8', False, True), FLAGS), False, bytes(8))),
        Call(new_array, ARRAY, (1, (2,), np.dtype('O'), False, b'\x41' * 16)),
        Call(new_array, ARRAY, (1, (2,), np.dtype('f8'), False, b'short')),
        Call(new_array, ARRAY, (1, (2**40,), np.dtype('f8'), False, b'')),
        Call(new_array, ARRAY, (1, (-1,), np.dtype('f8'), False, b'')),
        Call(np.float64(0).__reduce__()[0], (np.dtype('O'), b'\x41' * 8)),
        Call(np.float64(0).__reduce__()[0], (np.dtype('f8'), b'\x41')),
        Call(np.frombuffer, (b'\x41' * 8,)),
        Call(np.ndarray, ((2,), np.dtype('O'))),
        Call(bytearray, (10**12,)),
        Call(bytes, (10**12,)),
        Call(set, (range(10**12),)),
        Call(torch.UntypedStorage, (10**12,)),
        Call(torch.FloatTensor, (10**12,)),
        Call(torch.Tensor, (10**12,)),
        Call(collections.Counter, ('a' * 10,)),
        Call(eval, ('1',)),
        torch.nn.Linear(1, 1),
    ],
    ids=lambda value: str(getattr(value, 'reduced', 'module'))[:60],
)  # fmt: skip
def test_forbidden_calls_and_states_are_refused(tmp_path, legacy, value):
    path = save({'state_dict': {'a': torch.ones(2)}, 'x': value}, tmp_path / 'bad.pth', legacy)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def rebuilt(**changes):
    """Return a value that is pickled as a tensor over a storage of ten elements."""
    tensor = torch.arange(10.0)
    arguments = dict(offset=0, size=(10,), stride=(1,)) | changes
    storage = torch.storage.TypedStorage(wrap_storage=tensor.untyped_storage(), dtype=tensor.dtype,
                                         _internal=True)  # fmt: skip
    return Call(torch._utils._rebuild_tensor_v2,
                (storage, *arguments.values(), False, collections.OrderedDict()))  # fmt: skip


@LEGACY
@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'size': (11,)}, 'beyond its storage'),
        ({'offset': 1}, 'beyond its storage'),
        ({'offset': -1}, 'malformed tensor'),
        ({'stride': (2,)}, 'beyond its storage'),
        ({'stride': (-1,)}, 'malformed sizes'),
        ({'size': (2**40,), 'stride': (0,)}, 'expanded'),
        ({'size': (2**33, 2**33), 'stride': (0, 0)}, 'expanded'),
        ({'size': (2**62, 4), 'stride': (0, 0)}, 'malformed sizes'),
        ({'size': (5,), 'stride': (1, 1)}, 'malformed tensor'),
    ],
)
def test_tensors_that_exceed_their_storage_are_refused(tmp_path, legacy, changes, message):
    save({'good': rebuilt()}, tmp_path / 'good.pth', legacy)
    assert read_checkpoint(tmp_path / 'good.pth')['good'].tolist() == list(range(10))
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(save({'bad': rebuilt(**changes)}, tmp_path / 'bad.pth', legacy))


def with_records(path, change, **options):
    """Rewrite a checkpoint's zip archive with changed records."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, 'w', **options) as archive:
        for name, content in change(records).items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ('change', 'options', 'message'),
    [
        (lambda r: r, {'compression': zipfile.ZIP_DEFLATED}, 'damaged: its records are compressed'),
        (lambda r: {**r, 'a/data/0': bytes(8)}, {}, 'damaged: record 0 is of another size'),
        (lambda r: {n: c for n, c in r.items() if n != 'a/data/0'}, {}, "no item named 'a/data/0'"),
        (lambda r: {**r, 'a/byteorder': b'big'}, {}, 'byte order of another processor'),
        (lambda r: {**r, 'a/constants.pkl': b''}, {}, 'a TorchScript program'),
        (lambda r: {**r, 'b/data.pkl': r['a/data.pkl']}, {}, 'without data.pkl'),
        (lambda r: {**r, 'a/data.pkl': nested_key()}, {}, 'a tuple as a key'),
        (lambda r: {**r, 'a/data.pkl': b'\x80\x02N\x8c'}, {}, 'cannot be read'),
        (lambda r: {**r, 'a/data.pkl': b'\x80\x02Nr\xff\xff\xff\xff.'}, {}, None),
        (lambda r: {**r, 'a/data.pkl': b'\x80\x02X\xff\xff\xff\x7fa.'}, {}, 'cannot be read'),
    ],
    ids=['deflated', 'short record', 'no record', 'byte order', 'TorchScript', 'two pickles',
         'nested key', 'cut-off pickle', 'huge memo', 'huge text'],
)  # fmt: skip
def test_malformed_archives_are_refused_with_little_memory(tmp_path, change, options, message):
    path = save({'weight': torch.rand(1000)}, tmp_path / 'a.pth')
    assert read_checkpoint(path)['weight'].shape == (1000,)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with_records(path, change, **options)
    if message:
        with pytest.raises(CheckpointError, match=message):
            read_checkpoint(path)
    else:
        assert read_checkpoint(path) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def whole_file(path):
    torch.save({'weight': torch.rand(1000)}, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda p: None, r'no checkpoint at .*file.pth \(looked from'),
        (lambda p: p.mkdir(), 'is a folder'),
        (lambda p: p.write_bytes(b''), r'is empty \(0 bytes\)'),
        (lambda p: p.write_bytes(b'<html>404</html>'), 'is not a checkpoint written by torch'),
        (lambda p: os.mkfifo(p), 'is not a regular file'),
        (lambda p: p.write_bytes(whole_file(p)[:2000]), 'probably truncated'),
        (lambda p: p.write_bytes(pickle.dumps([1, 2])), 'not a checkpoint'),
    ],
    ids=['absent', 'folder', 'empty', 'html', 'FIFO', 'truncated', 'plain pickle'],
)
def test_files_that_are_not_checkpoints_are_refused(tmp_path, make, message):
    path = tmp_path / 'file.pth'
    make(path)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize('seed', range(20))
def test_flipped_bits_are_detected_or_have_no_effect(tmp_path, seed):
    weights = torch.rand(2000)
    content = bytearray(save({'weight': weights}, tmp_path / 'a.pth').read_bytes())
    generator = np.random.default_rng(seed)
    content[generator.integers(len(content))] ^= 1 << generator.integers(8)
    (tmp_path / 'a.pth').write_bytes(content)
    try:
        found = read_checkpoint(tmp_path / 'a.pth')
    except CheckpointError:
        return
    assert torch.equal(found['weight'], weights)


def use_again(name, value, times, arguments=1):
    """Pickle of many calls of a function with the same value, each of a few bytes."""
    call = pickle.BINGET + b'\1' + (pickle.BINGET + b'\2') * arguments
    call += pickle.TUPLE1 if arguments == 1 else pickle.TUPLE2
    module, _, attribute = name.rpartition('.')
    start = pickle.GLOBAL + f'{module}\n{attribute}\n'.encode() + pickle.BINPUT + b'\1'
    again = (call + pickle.REDUCE) * times
    if arguments == 2:  # the arguments are the result of the last call, twice
        again = (call + pickle.REDUCE + pickle.BINPUT + b'\2') * times
    return (pickle.PROTO + b'\2' + pickle.MARK + start + value + pickle.BINPUT + b'\2' + again
            + pickle.TUPLE + pickle.STOP)  # fmt: skip


LIST = pickle.EMPTY_LIST + pickle.MARK + (pickle.BININT1 + b'\1') * 5000 + pickle.APPENDS
BYTES = pickle.BINBYTES + (10**5).to_bytes(4, 'little') + bytes(10**5)
TEXT = pickle.BINUNICODE + (1000).to_bytes(4, 'little') + b'x' * 1000


@pytest.mark.parametrize(
    'pickled',
    [
        use_again('pathlib.PosixPath', TEXT, 40, arguments=2),  # doubled each time
        use_again('builtins.bytearray', BYTES, 10**5),
        use_again('builtins.set', LIST, 10**5),
    ],
    ids=['text', 'bytes', 'set'],
)
def test_pickles_that_copy_a_value_many_times_are_refused(tmp_path, pickled):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with zipfile.ZipFile(tmp_path / 'a.pth', 'w') as archive:
        archive.writestr('a/data.pkl', pickled)
    with pytest.raises(CheckpointError, match='copied so often'):
        read_checkpoint(tmp_path / 'a.pth')
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_records_of_one_name_are_refused(tmp_path):
    """Programs differ in which of the records they read."""
    path = save({'weight': torch.rand(2)}, tmp_path / 'a.pth')
    with zipfile.ZipFile(path, 'a') as archive:
        name = next(n for n in archive.namelist() if n.endswith('data/0'))
        with pytest.warns(UserWarning, match='Duplicate name'):
            archive.writestr(name, bytes(8))
    with pytest.raises(CheckpointError, match='several records of one name'):
        read_checkpoint(path)
