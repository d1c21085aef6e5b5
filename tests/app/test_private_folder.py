"""The folder of uploads is private and is removed at the end."""

import signal

import pytest

from mmdet_cleargrasp.app.private_folder import PREFIX, ignored_signals, private_folder
from mmdet_cleargrasp.utils.locks import lock_folder


@pytest.mark.parametrize('error', [None, KeyboardInterrupt, SystemExit, RuntimeError])
def test_it_is_private_and_removed_after_any_exit(tmp_path, error):
    try:
        with private_folder(tmp_path) as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / 'session').mkdir()
            (folder / 'session' / 'upload').write_bytes(b'x')
            if error:
                raise error
    except (KeyboardInterrupt, SystemExit, RuntimeError):
        pass
    assert list(tmp_path.iterdir()) == []


def test_folders_of_killed_processes_are_removed_and_those_in_use_kept(tmp_path):
    for name in ('killed', 'running'):
        (tmp_path / f'{PREFIX}{name}').mkdir()
        (tmp_path / f'{PREFIX}{name}' / '.lock').touch()
        (tmp_path / f'{PREFIX}{name}' / 'upload').touch()
    (tmp_path / 'other').mkdir()
    (tmp_path / f'{PREFIX}link').symlink_to(tmp_path / 'other')
    with lock_folder(tmp_path / f'{PREFIX}running'), private_folder(tmp_path):
        names = {path.name for path in tmp_path.iterdir()}
        assert f'{PREFIX}killed' not in names
        assert {f'{PREFIX}running', f'{PREFIX}link', 'other'} <= names


def test_signals_do_not_interrupt_the_cleanup():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with ignored_signals():
        for number in numbers:
            signal.raise_signal(number)
    assert [signal.getsignal(number) for number in numbers] == before
