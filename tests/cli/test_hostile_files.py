"""Files and folders without permissions, pipes, devices, circular links and invalid names."""

import contextlib
import ctypes
import os
import re
import sys
from pathlib import Path

import pytest

#: Of the system call ``capset``: version 3 of its header.
CAPABILITY_VERSION = 0x20080522
TOY = 'draw_toy_plates.py'


@contextlib.contextmanager
def without_root_capabilities():
    """Drop the effective capabilities of root, which ignores permissions, during a block."""
    if os.geteuid():
        yield
        return
    if not sys.platform.startswith('linux'):
        pytest.skip('capabilities can be dropped on Linux only')
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    before, none = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, before) == 0
    none[1::3] = before[1::3]  # keep the permitted ones, so that they can be restored
    assert libc.capset(header, none) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


@pytest.fixture
def place(toy_copy):
    """A folder with a data set in ``plates``, which the tests may change."""
    yield toy_copy.parent
    for path in [toy_copy.parent, *toy_copy.parent.rglob('*')]:
        with contextlib.suppress(OSError):
            path.chmod(0o755)


def command_line(line, place, config):
    """Return the tool and its arguments, with paths in a folder."""
    tool, *arguments = (word.format(config=config) for word in line)
    here = ('plates', 'out', 'run', 'spec', 'file')
    return tool, [str(place / word) if word.startswith(here) else word for word in arguments]


def replaced(make):
    def replace(path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)

    return replace


FIFO = replaced(os.mkfifo)
DEVICE = replaced(lambda path: path.symlink_to('/dev/zero'))
LOOP = replaced(lambda path: path.symlink_to(path))


#: Folder or file without permissions, command line and part of the message.
LOCKED = [
    ('plates', ['doctor.py', '{config}', '--data-root', 'plates'], 'plates cannot be opened: Permission denied'),
    ('plates/annotations/train.json', ['doctor.py', '{config}', '--data-root', 'plates'], 'train.json cannot be opened: Permission denied'),
    ('plates', ['to_coco.py', 'plates', 'out'], 'plates cannot be opened: Permission denied'),
    ('plates/train', ['infer.py', 'plates/train', '--out', 'out'], 'Permission denied'),
    ('plates', ['analyze_logs.py', 'plot_curve', 'plates'], 'Permission denied'),
    ('plates', ['compare_runs.py', 'plates', 'plates'], 'Permission denied'),
    ('plates', ['random_backbone.py', 'plates', 'out.pth'], 'Permission denied'),
    ('plates/val', ['train.py', '{config}', '--data-root', 'plates', '--work-dir', 'run'], 'Permission denied'),
]  # fmt: skip


@pytest.mark.parametrize(('locked', 'line', 'message'), LOCKED)
def test_files_without_permission_are_named(place, run_here, tiny_config, locked, line, message):
    tool, given = command_line(line, place, tiny_config)
    (place / locked).chmod(0)
    with without_root_capabilities():
        status, printed = run_here(tool, *given)
    assert status == 1, printed
    assert message in printed
    assert 'Traceback' not in printed


#: Function that replaces a file, the file, command line, exit status and part of the message.
SPECIAL = [
    (FIFO, 'spec.yaml', ['run_experiment.py', 'spec.yaml'], 1, 'Not a regular file'),
    (DEVICE, 'spec.yaml', ['run_experiment.py', 'spec.yaml'], 1, 'Not a regular file'),
    (FIFO, 'spec.yaml', ['render_plates.py', 'spec.yaml', 'out'], 1, 'not a regular file'),
    (DEVICE, 'spec.yaml', ['render_plates.py', 'spec.yaml', 'out'], 1, 'not a regular file'),
    (FIFO, 'run/1/vis_data/scalars.json', ['analyze_logs.py', 'plot_curve', 'run'], 1, 'Not a regular file'),
    (FIFO, 'plates/train/0001.jpg', ['to_coco.py', 'plates/train', 'out'], 1, 'none of these formats'),
    (DEVICE, 'plates/annotations/train.json', ['to_coco.py', 'plates', 'out'], 1, 'several images of that name'),
    (LOOP, 'out', ['to_coco.py', 'plates', 'out'], 1, 'is a link that leads to no folder'),
    (LOOP, 'run', ['train.py', '{config}', '--data-root', 'plates', '--work-dir', 'run'], 1, 'is not a folder'),
    (FIFO, 'run/.run.lock', ['train.py', '{config}', '--data-root', 'plates', '--work-dir', 'run'], 1, 'is not a regular file: remove it'),
    (FIFO, 'file.pth', ['publish_detector.py', 'file.pth', 'out.pth'], 1, 'is not a regular file'),
    (FIFO, 'plates/train/0001.jpg', ['doctor.py', '{config}', '--data-root', 'plates'], 1, 'is not a file, expected an image'),
]  # fmt: skip


@pytest.mark.parametrize(('make', 'file', 'line', 'status', 'message'), SPECIAL)
def test_special_files_are_not_read(
    place, run_here, tiny_config, make, file, line, status, message
):
    make(place / file)
    tool, given = command_line(line, place, tiny_config)
    found, printed = run_here(tool, *given)
    assert found == status, printed
    assert message in printed
    assert 'Traceback' not in printed


@pytest.mark.parametrize('tool', ['doctor.py', 'run_experiment.py', 'extract_backbone.py', TOY])
def test_names_that_are_too_long_for_a_file_system(place, run_here, tool):
    status, printed = run_here(tool, str(place / ('x' * 300)))
    assert status == 1
    # Python 3.14's pathlib reports that such a file does not exist.
    assert re.search('File name too long|no (config|checkpoint) at', printed)
    assert 'Traceback' not in printed
