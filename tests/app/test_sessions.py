"""Limits of sessions, and their removal."""

import contextlib
import shutil
from types import SimpleNamespace

import pytest

from mmdet_cleargrasp.app.limits import Limits
from mmdet_cleargrasp.app.photographs import Photograph
from mmdet_cleargrasp.app.sessions import RefusedError, Sessions, safe_name

MB = 1_000_000


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_sessions(tmp_path, clock):
    return lambda **limits: Sessions(tmp_path, Limits(**limits), 0.5, clock)


def add_photograph(sessions, session, size=MB):
    with sessions.reserve_upload(session, size) as key:
        (session.folder / key).write_bytes(b'x')
        (session.folder / f'{key}.view.jpg').write_bytes(b'x')
        photo = Photograph(key, f'{key}.jpg', session.folder / key, 9, 9, size_bytes=size)
        session.photographs[key] = photo
    return key


@pytest.mark.parametrize(
    ('limits', 'size', 'status'),
    [
        ({}, MB, None),
        ({'megabytes': 1}, MB, None),
        ({'megabytes': 1}, MB + 1, 413),
        ({'files': 2}, 1, 409),
        ({'total_files': 3}, 1, 507),
        ({'total_megabytes': 4}, MB, None),
        ({'total_megabytes': 4}, MB + 1, 507),
        ({'free_megabytes': 10**9}, 1, 507),
    ],
)
def test_limits_per_file_per_user_and_in_total(make_sessions, limits, size, status):
    sessions = make_sessions()
    first, second = sessions.add()[1], sessions.add()[1]
    for session in (first, first, second):
        add_photograph(sessions, session)
    sessions.limits = Limits(**limits)
    if status is None:
        add_photograph(sessions, first, size)
        return
    with pytest.raises(RefusedError) as refused, sessions.reserve_upload(first, size):
        pass
    assert refused.value.status == status


def test_uploads_in_progress_count_toward_the_limits(make_sessions):
    sessions = make_sessions(total_megabytes=3)
    first, second = sessions.add()[1], sessions.add()[1]
    with (
        sessions.reserve_upload(first, 2 * MB),
        pytest.raises(RefusedError),
        sessions.reserve_upload(second, 2 * MB),
    ):
        pass
    add_photograph(sessions, second, 2 * MB)


def test_the_free_disk_space_is_shared(make_sessions, monkeypatch):
    usage = SimpleNamespace(free=10 * MB)
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage)
    sessions = make_sessions(free_megabytes=5)
    first, second = sessions.add()[1], sessions.add()[1]
    with sessions.reserve_upload(first, 3 * MB):  # announced but not written yet
        add_photograph(sessions, second, 2 * MB)
        for refused in (
            sessions.reserve_upload(second, 3 * MB),
            sessions.reserve_download(second, 3 * MB),
        ):
            with pytest.raises(RefusedError, match='no space left'), refused:
                pass
        with sessions.reserve_download(second, 2 * MB), pytest.raises(RefusedError):
            sessions.check_disk(1)
    sessions.check_disk(5 * MB)


@pytest.mark.parametrize('error', [None, OSError, KeyboardInterrupt])
def test_a_user_has_one_download_at_a_time(make_sessions, error):
    sessions = make_sessions()
    first, second = sessions.add()[1], sessions.add()[1]
    with contextlib.suppress(OSError, KeyboardInterrupt), sessions.reserve_download(first, MB):
        with pytest.raises(RefusedError) as refused, sessions.reserve_download(first, MB):
            pass
        assert refused.value.status == 409
        with sessions.reserve_download(second, MB):
            pass
        if error:
            raise error
    with sessions.reserve_download(first, MB):
        pass


@pytest.mark.parametrize('error', [OSError, RefusedError(408, ''), KeyboardInterrupt])
def test_a_failed_upload_leaves_no_files(make_sessions, error):
    sessions = make_sessions()
    _, session = sessions.add()
    kind = error if isinstance(error, type) else type(error)
    with pytest.raises(kind), sessions.reserve_upload(session, MB) as key:
        (session.folder / key).write_bytes(b'half')
        raise error
    assert list(session.folder.iterdir()) == []
    assert session.count == session.bytes == 0


def test_unused_sessions_are_removed_with_their_files(make_sessions, clock):
    sessions = make_sessions(idle_seconds=60)
    (old, session), (new, _) = sessions.add(), sessions.add()
    add_photograph(sessions, session)
    clock.now = 59
    assert sessions.get(new)
    clock.now = 61
    assert sessions.get(old) is None and sessions.get(new)
    assert not session.folder.exists() and len(sessions) == 1


def test_a_session_with_an_upload_in_progress_is_kept(make_sessions, clock):
    sessions = make_sessions(idle_seconds=60)
    key, session = sessions.add()
    with sessions.reserve_upload(session, MB):
        clock.now = 1000
        sessions.remove_idle()
        assert session.folder.exists()
    assert sessions.get(key) is session


def test_new_sessions_replace_empty_ones_only(make_sessions):
    sessions = make_sessions(sessions=2)
    first, second = sessions.add(), sessions.add()
    add_photograph(sessions, first[1])
    third = sessions.add()
    assert sessions.get(second[0]) is None and sessions.get(first[0]) and len(sessions) == 2
    add_photograph(sessions, third[1])
    with pytest.raises(RefusedError, match='Too many people'):
        sessions.add()


def test_sessions_are_private(make_sessions):
    sessions = make_sessions()
    (key, session), (other, _) = sessions.add(), sessions.add()
    assert session.folder.stat().st_mode & 0o777 == 0o700
    assert key != other and key not in str(session.folder)
    assert sessions.get(None) is None and sessions.get('guess') is None


def test_removing_a_photograph_removes_its_files(make_sessions):
    sessions = make_sessions()
    _, session = sessions.add()
    key = add_photograph(sessions, session)
    session.scale_from = key
    session.remove(key)
    assert list(session.folder.iterdir()) == [] and session.bytes == 0
    assert session.scale_from is None


def test_names_are_unique_regardless_of_case_and_suffix(make_sessions):
    _, session = make_sessions().add()
    session.photographs['a'] = SimpleNamespace(name='Day 3.jpg')
    assert session.unique_name('day 3.JPG') == 'day 3-2.JPG'
    assert session.unique_name('day 3.png') == 'day 3-2.png'
    assert session.unique_name('day 4.jpg') == 'day 4.jpg'


@pytest.mark.parametrize(
    ('name', 'safe'),
    [
        ('day 3.jpg', 'day 3.jpg'),
        ('Müller Platte №5.heic', 'Müller Platte №5.heic'),
        ('../../etc/passwd', 'passwd'),
        ('C:\\Users\\me\\a.jpg', 'a.jpg'),
        ('<b>a</b>.jpg', 'b_.jpg'),
        ('a\r\nSet-Cookie: x.jpg', 'a__Set-Cookie_ x.jpg'),
        ('\ud800.jpg', '_.jpg'),
        ('.hidden', 'hidden'),
        ('', 'photograph'),
        ('...', 'photograph'),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe


def test_long_names_are_shortened(tmp_path):
    for name in ('ä' * 500 + '.jpg', 'a.' + 'b' * 500):
        (tmp_path / f'{safe_name(name)}-12.overlay').touch()
