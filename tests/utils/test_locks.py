"""One process at a time writes to a folder, and a crash releases its lock."""

import os
import signal
import subprocess
import sys

import pytest

from mmdet_cleargrasp.utils.errors import ConfigError
from mmdet_cleargrasp.utils.locks import FolderInUseError, lock_folder

HOLD = """
import sys, time
from mmdet_cleargrasp.utils.locks import lock_folder
with lock_folder(sys.argv[1]):
    print('held', flush=True)
    time.sleep(60)
"""


def test_the_process_is_named_and_a_crash_releases_the_lock(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, '-c', HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline().strip() == 'held'
    message = f'in use by process {holder.pid} on'
    with pytest.raises(FolderInUseError, match=message), lock_folder(tmp_path):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with lock_folder(tmp_path):
        pass


@pytest.mark.parametrize('make', [lambda p: p.symlink_to('other'), os.mkfifo, lambda p: p.mkdir()])
def test_a_lock_that_is_not_a_regular_file_is_refused(tmp_path, make):
    """A link could point to any file of the user, which would be overwritten."""
    (tmp_path / 'other').write_text('kept')
    make(tmp_path / '.lock')
    with (
        pytest.raises(ConfigError, match='lock is not a regular file: remove it'),
        lock_folder(tmp_path),
    ):
        pass
    assert (tmp_path / 'other').read_text() == 'kept'
