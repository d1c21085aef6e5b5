"""What the users of the page have on the server: bounded, private, and removed when unused.

Everything here runs in the event loop's thread; only files are written by others.
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

#: Longest name of a photograph, in bytes; file systems allow 255 with a suffix and a number.
LONGEST_NAME = 180
#: Characters that no file system and no table takes well in a name.
BAD_CHARACTERS = '/\\:*?"<>|'
NO_SPACE = 'The computer that runs this page has no space left for it. Try again later.'


class RefusedError(UserError):
    """A request that is refused.

    Attributes:
        status: Of the HTTP response.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Session:
    """One user's photographs.

    Attributes:
        folder: Private, for the uploads and their views.
        threshold: Score threshold.
        scale_from: Key of the photograph whose scale is used for those without one.
        photographs: By key, in the order of the uploads.
        pending: Uploads that are not photographs yet, and their bytes.
        download: Bytes that the download in progress may take on the disk; 0 without one.
        last_used: Seconds of the store's clock.
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
        """Photographs and uploads."""
        return len(self.photographs) + len(self.pending)

    @property
    def bytes(self) -> int:
        """On the disk, and still to come of running uploads."""
        return sum(p.size_bytes for p in self.photographs.values()) + sum(self.pending.values())

    def free_name(self, name: str) -> str:
        """A name that no photograph has yet; some file systems take A.jpg and a.JPG for one."""
        taken = {_key(photograph.name) for photograph in self.photographs.values()}
        path = PurePath(name)
        number, choice = 1, name
        while _key(choice) in taken:
            number += 1
            choice = f'{path.stem}-{number}{path.suffix}'
        return choice

    def px_per_mm(self, photograph: Photograph) -> float | None:
        """Scale of a photograph: its own, or that of the one that was chosen for all."""
        scale = photograph.own_scale()
        if scale is None and self.scale_from in self.photographs:
            scale = self.photographs[self.scale_from].own_scale()
        return scale.px_per_mm if scale else None

    def remove(self, key: str) -> None:
        """Remove a photograph with its files."""
        self.photographs.pop(key)
        if self.scale_from == key:
            self.scale_from = None
        for file in self.folder.glob(f'{key}*'):
            file.unlink(missing_ok=True)

    def to_json(self) -> dict[str, Any]:
        """For the browser."""
        return {
            'threshold': self.threshold,
            'scale_from': self.scale_from,
            'photographs': [photograph.to_json() for photograph in self.photographs.values()],
        }


class Sessions:
    """All users of the page.

    Args:
        folder: A private folder.
        limits: What is accepted.
        threshold: Score threshold of a new session.
        clock: Seconds; for tests.
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
        """A session by its secret key, which counts as used now."""
        self.remove_idle()
        session = self._sessions.get(key or '')
        if session is not None:
            session.last_used = self._clock()
        return session

    def add(self) -> tuple[str, Session]:
        """A new session; without free places, an empty one or the longest unused makes room.

        Raises:
            RefusedError: All places are in use.
        """
        self.remove_idle()
        if len(self) >= self.limits.sessions:
            self._make_room()
        key = secrets.token_urlsafe(24)
        # The folder's name is another secret than the key.
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        session = Session(folder, self.threshold, last_used=self._clock())
        self._sessions[key] = session
        return key, session

    @contextlib.contextmanager
    def upload(self, session: Session, size: int) -> Iterator[str]:
        """Reserve place for an upload, and give it back however the upload ends.

        Args:
            session: The user's.
            size: In bytes, as announced.

        Yields:
            The key of the photograph, and the beginning of its files' names.

        Raises:
            RefusedError: One of the limits would be exceeded.
        """
        self._check_place(session, size)
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
    def downloading(self, session: Session, size: int) -> Iterator[None]:
        """Reserve disk space for a download, and release it however the download ends.

        Args:
            session: The user's.
            size: Bytes that it may take.

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
        """Check that the disk has space for some bytes more, beside what is reserved already.

        Raises:
            RefusedError: It has not.
        """
        reserved = sum(
            sum(session.pending.values()) + session.download for session in self._sessions.values()
        )
        free = shutil.disk_usage(self.folder).free - reserved - size
        if free < self.limits.free_megabytes * 1_000_000:
            raise RefusedError(507, NO_SPACE)

    def remove_idle(self) -> None:
        """Remove sessions that were not used for long, with their files."""
        now = self._clock()
        for key, session in list(self._sessions.items()):
            idle = now - session.last_used >= self.limits.idle_seconds
            if idle and not session.pending:
                self._remove(key)

    def _make_room(self) -> None:
        by_age = sorted(self._sessions.items(), key=lambda item: item[1].last_used)
        for key, session in by_age:
            if not session.count:
                return self._remove(key)
        raise RefusedError(
            503, 'Too many people use this page at the moment. Try again in some minutes.'
        )

    def _remove(self, key: str) -> None:
        shutil.rmtree(self._sessions.pop(key).folder, ignore_errors=True)

    def _check_place(self, session: Session, size: int) -> None:
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
    r"""A name that can be shown, listed in a table and used for a file, whatever a browser sent.

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
