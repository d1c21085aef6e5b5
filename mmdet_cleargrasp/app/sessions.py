"""Sessions of the page's users: their photographs, limits, and removal when unused.

All functions run in the thread of the event loop; other threads only write files.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from ..datasets.images import normalized
from ..utils.errors import UserError
from .limits import Limits
from .photographs import Photograph

#: Maximum length of the name of a photograph in bytes. File systems allow 255; the rest is for a
#: number and the suffixes of exported files.
LONGEST_NAME = 180
#: Characters that are not allowed in file names on some systems.
BAD_CHARACTERS = '/\\:*?"<>|'
#: Message when a limit of all users together, or the disk, is full.
NO_SPACE = 'The computer that runs this page has no space left for it. Try again later.'


class RefusedError(UserError):
    """A request is refused.

    Args:
        status: HTTP status of the response.
        message: Message for the user.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Session:
    """Photographs and settings of one user.

    Attributes:
        folder: Private folder with the uploads and the images made from them.
        threshold: Score threshold, 0 to 1.
        scale_from: Key of the photograph whose scale is used for those without a scale.
        photographs: Photographs by key, in the order of the uploads.
        pending: Sizes in bytes of the uploads in progress, by key.
        download: Disk space in bytes reserved for the download in progress; 0 if there is none.
        last_used: Time of the last request, in seconds of the clock of :class:`Sessions`.
    """

    folder: Path
    threshold: float
    scale_from: str | None = None
    photographs: dict[str, Photograph] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)
    download: int = 0
    last_used: float = 0

    @property
    def count(self) -> int:
        """Number of photographs, including uploads in progress."""
        return len(self.photographs) + len(self.pending)

    @property
    def bytes(self) -> int:
        """Size of the photographs on the disk, including the announced size of uploads."""
        return sum(p.size_bytes for p in self.photographs.values()) + sum(self.pending.values())

    def unique_name(self, name: str) -> str:
        """Return a name that no other photograph has, with a number appended if needed.

        Names that differ in case or suffix only count as the same: exported files have other
        suffixes, and some file systems ignore case.

        Args:
            name: Requested name, from :func:`safe_name`.
        """
        taken = {_key(photograph.name) for photograph in self.photographs.values()}
        path = PurePath(name)
        number, choice = 1, name
        while _key(choice) in taken:
            number += 1
            choice = f'{path.stem}-{number}{path.suffix}'
        return choice

    def px_per_mm(self, photograph: Photograph) -> float | None:
        """Return the scale of a photograph: its own, or that of the photograph selected for all."""
        scale = photograph.own_scale()
        if scale is None and self.scale_from in self.photographs:
            scale = self.photographs[self.scale_from].own_scale()
        return scale.px_per_mm if scale else None

    def remove(self, key: str) -> None:
        """Remove a photograph and its files.

        Args:
            key: Key of the photograph.
        """
        self.photographs.pop(key)
        if self.scale_from == key:
            self.scale_from = None
        for file in self.folder.glob(f'{key}*'):
            file.unlink(missing_ok=True)

    def to_json(self) -> dict[str, Any]:
        """Return the session as a JSON object for the browser."""
        return {
            'threshold': self.threshold,
            'scale_from': self.scale_from,
            'photographs': [photograph.to_json() for photograph in self.photographs.values()],
        }


class Sessions:
    """Sessions of all users.

    Args:
        folder: Private folder, in which each session gets a folder.
        limits: Limits of the page.
        threshold: Initial score threshold of a session.
        clock: Function that returns the time in seconds.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        threshold: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self.limits, self.threshold = folder, limits, threshold
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, key: str | None) -> Session | None:
        """Return the session with a secret key, and update its time of last use.

        Args:
            key: Value of the session cookie, if there is one.

        Returns:
            ``None`` if there is no such session, or it was removed.
        """
        self.remove_idle()
        session = self._sessions.get(key or '')
        if session is not None:
            session.last_used = self._clock()
        return session

    def add(self) -> tuple[str, Session]:
        """Create a session; if there are too many, remove the longest unused empty one.

        Returns:
            Secret key of the session, and the session.

        Raises:
            RefusedError: There are too many sessions, all of them with photographs.
        """
        self.remove_idle()
        if len(self) >= self.limits.sessions:
            self._remove_an_empty_session()
        key = secrets.token_urlsafe(24)
        # Not named after the key, which error messages with paths would disclose.
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        session = Session(folder, self.threshold, last_used=self._clock())
        self._sessions[key] = session
        return key, session

    @contextlib.contextmanager
    def reserve_upload(self, session: Session, size: int) -> Iterator[str]:
        """Reserve space for an upload during a ``with`` block.

        Files of the upload are removed at the end unless the photograph was added to the session.

        Args:
            session: Session of the user.
            size: Size of the upload in bytes, as announced by the browser.

        Yields:
            Key of the photograph. The names of its files must begin with it.

        Raises:
            RefusedError: A limit would be exceeded.
        """
        self._check_limits(session, size)
        key = secrets.token_hex(8)
        session.pending[key] = size
        try:
            yield key
        finally:
            session.pending.pop(key, None)
            session.last_used = self._clock()
            if key not in session.photographs:
                for file in session.folder.glob(f'{key}*'):
                    file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def reserve_download(self, session: Session, size: int) -> Iterator[None]:
        """Reserve disk space for a download during a ``with`` block.

        Args:
            session: Session of the user.
            size: Maximum disk space of the download in bytes.

        Raises:
            RefusedError: The user has a download in progress, or the disk is full.
        """
        if session.download:
            raise RefusedError(409, 'Another download is in progress. Try again when it is done.')
        self.check_disk(size)
        session.download = max(size, 1)
        try:
            yield
        finally:
            session.download = 0

    def check_disk(self, size: int) -> None:
        """Check that the disk has space for more data, in addition to what is reserved.

        Args:
            size: Size of the data in bytes.

        Raises:
            RefusedError: The disk has too little space.
        """
        reserved = sum(
            sum(session.pending.values()) + session.download for session in self._sessions.values()
        )
        free = shutil.disk_usage(self.folder).free - reserved - size
        if free < self.limits.free_megabytes * 1_000_000:
            raise RefusedError(507, NO_SPACE)

    def remove_idle(self) -> None:
        """Remove the sessions without a request for ``idle_seconds``, and their files."""
        now = self._clock()
        for key, session in list(self._sessions.items()):
            idle = now - session.last_used >= self.limits.idle_seconds
            if idle and not session.pending:
                self._remove(key)

    def _remove_an_empty_session(self) -> None:
        by_age = sorted(self._sessions.items(), key=lambda item: item[1].last_used)
        for key, session in by_age:
            if not session.count:
                return self._remove(key)
        raise RefusedError(
            503, 'Too many people use this page at the moment. Try again in some minutes.'
        )

    def _remove(self, key: str) -> None:
        shutil.rmtree(self._sessions.pop(key).folder, ignore_errors=True)

    def _check_limits(self, session: Session, size: int) -> None:
        limits, everyone = self.limits, self._sessions.values()
        if size > limits.megabytes * 1_000_000:
            raise RefusedError(413, f'The file is larger than {limits.megabytes} MB.')
        if session.count >= limits.files:
            raise RefusedError(
                409,
                f'The page takes {limits.files} photographs at a time. Download the results, '
                'remove these photographs, then add more.',
            )
        if (
            sum(one.count for one in everyone) >= limits.total_files
            or sum(one.bytes for one in everyone) + size > limits.total_megabytes * 1_000_000
        ):
            raise RefusedError(507, NO_SPACE)
        self.check_disk(size)


def safe_name(name: str) -> str:
    r"""Convert the file name that a browser sent to one that is valid on any file system.

    Args:
        name: Name as sent, which may contain anything.

    Example:
        >>> safe_name('../../etc/day 3.jpg'), safe_name('a\x00<b>.png'), safe_name('..')
        ('day 3.jpg', 'a__b_.png', 'photograph')
    """
    name = name.replace('\\', '/').split('/')[-1]
    name = ''.join('_' if c in BAD_CHARACTERS or not c.isprintable() else c for c in name)
    name = name.encode('utf-8', 'replace').decode().strip().lstrip('.')
    path = PurePath(name or 'photograph')
    stem = path.stem.encode()[: LONGEST_NAME - len(path.suffix.encode()[:20])].decode(
        errors='ignore'
    )
    return stem + path.suffix.encode()[:20].decode(errors='ignore')


def _key(name: str) -> str:
    return normalized(PurePath(name).stem).casefold()
