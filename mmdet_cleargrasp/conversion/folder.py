"""The files of a source folder, found by their names in annotations."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from ..datasets.images import IMAGE_SUFFIXES, is_image, normalized
from ..datasets.split_names import SplitFolders
from ..utils.errors import DataError
from .files import read_json

#: Prefix that Label Studio adds to the names of uploaded files.
UPLOAD_PREFIX = re.compile(r'^[0-9a-f]{8}-')
#: Suffixes of files that are not images, which are not opened to find out.
NO_IMAGES = ('.csv', '.data', '.json', '.md', '.names', '.txt', '.xml', '.yaml', '.yml')
#: JSON files that are cached, since every format reads them.
KEPT_FILES = 8


class NotFound(Exception):
    """There is no image of the name in an annotation, or there are several.

    Attributes:
        reason: Which of the two.
        detail: Its name, and what exists instead.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f'{reason}: {detail}')
        self.reason, self.detail = reason, detail


class Folder:
    """The regular files of a folder, without links that leave it.

    Attributes:
        root: The folder.
        files: Paths of all files but hidden ones, sorted.
        folders: Folders below the root that contain files.
        images: Images, of supported and unsupported formats.
        ignored: Links out of the folder, pipes, devices and the like, with the reason.

    Args:
        root: The folder.

    Raises:
        DataError: No such folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        _check_is_folder(self.root)
        self.files: list[Path] = []
        self.ignored: list[tuple[Path, str]] = []
        self._walk()
        self.images = [path for path in self.files if _is_image(path)]
        #: :func:`.read_json`, with a cache of the last results.
        self.read_json = lru_cache(KEPT_FILES)(read_json)
        self._splits = SplitFolders(path.relative_to(self.root) for path in self.files)
        self._by_place = {_key(self.name(path)): path for path in self.files}
        self.folders = {
            folder
            for path in self.files
            for folder in path.parents
            if folder != self.root and folder.is_relative_to(self.root)
        }
        self._by_folder = {_key(self.name(folder)): folder for folder in self.folders}
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in self.images:
            for name in {_key(path.name), _key(_without_specials(path.name))}:
                self._by_name[name].append(path)
            self._by_stem[_key(path.stem)].append(path)

    def _walk(self) -> None:
        inside = self.root.resolve()

        def cannot_list(error: OSError) -> None:
            self.ignored.append((Path(error.filename), f'cannot be opened: {error.strerror}'))

        for folder, folders, names in os.walk(self.root, onerror=cannot_list):
            folders[:] = sorted(n for n in folders if not n.startswith(('.', '__MACOSX')))
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in sorted(name for name in (*names, *links) if not name.startswith('.')):
                path = Path(folder) / name
                reason = _why_ignored(path, inside)
                if reason:
                    self.ignored.append((path, reason))
                else:
                    self.files.append(path)

    def name(self, path: str | Path) -> str:
        """A path relative to the folder, with forward slashes."""
        path = Path(path)
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def with_suffix(self, *suffixes: str) -> list[Path]:
        """Files with one of these suffixes, upper or lower case."""
        return [path for path in self.files if path.suffix.lower() in suffixes]

    def split(self, path: Path) -> str | None:
        """The split in the folders of an image, or in the name or folders of an annotation file."""
        place = PurePosixPath(self.name(path))
        return self._splits.split(place, is_image=path.suffix.lower() not in NO_IMAGES)

    def find(self, place: PurePosixPath | str) -> Path | None:
        """The file at a path in the folder, ignoring case and Unicode normalization."""
        return self._by_place.get(_key(str(place)))

    def find_image(self, name: str, near: Path) -> Path:
        """The image that an annotation names.

        Only the file name has to match: folders may be those of another computer. Of several files
        with this name, the one with the most similar folders is used.

        Args:
            name: As written: with slashes of either kind, perhaps percent-encoded, a URL, or with
                Label Studio's upload prefix.
            near: The annotation file.

        Raises:
            NotFound: No image of that name, or several that are equally similar.
        """
        for spelling in _spellings(name):
            *folders, last = PurePosixPath(spelling.replace('\\', '/')).parts or ('',)
            plain = UPLOAD_PREFIX.sub('', last)
            for candidate in (last, plain) if plain != last else (last,):
                found = self._by_name.get(_key(candidate))
                if found:
                    return self._most_similar(found, (*folders, found[0].name), near)
        other = self._by_stem.get(_key(_stem(name)))
        there = f', but {self.name(other[0])} is there' if other else ''
        raise NotFound('there is no image of that name', f'{_shown(name)}{there}')

    def find_by_stem(self, stem: str, near: Path) -> Path:
        """The image of this name without its suffix, nearest to an annotation file.

        Raises:
            NotFound: None, or several that are equally near.
        """
        found = self._by_stem.get(_key(stem))
        if not found:
            raise NotFound('there is no image of its name', _shown(stem))
        return self._most_similar(found, (), near)

    def find_folder(self, written: str) -> Path | None:
        """The folder or file at the end of a path, which may be of another computer."""
        parts = PurePosixPath(written.replace('\\', '/')).parts
        parts = tuple(_key(part) for part in parts if part not in ('.', '..', '/'))
        ends = ['/'.join(parts[start:]) for start in range(len(parts))]
        places = self._by_folder | self._by_place
        for end in ends:
            if end in places:
                return places[end]
        for end in ends:
            found = [path for place, path in places.items() if place.endswith(f'/{end}')]
            if len(found) == 1:
                return found[0]
        return None

    def _most_similar(self, found: list[Path], parts: tuple[str, ...], near: Path) -> Path:
        def similarity(path: Path) -> tuple[int, int, int]:
            return (
                _common(reversed(path.parts), reversed(parts)),
                _common(reversed(path.parent.parts), reversed(near.parent.parts)),
                _common(path.parts, near.parts),
            )

        best = max(similarity(path) for path in found)
        closest = [path for path in found if similarity(path) == best]
        if len(closest) > 1:
            names = ', '.join(self.name(path) for path in closest[:3])
            raise NotFound('there are several images of that name', names)
        return closest[0]


def _check_is_folder(root: Path) -> None:
    try:
        there, is_folder = os.path.lexists(root), root.is_dir()
        if is_folder:
            os.scandir(root).close()  # os.walk ignores folders without permission
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise DataError(f'{root} cannot be opened: {reason}') from error
    if not is_folder:
        archive = root.suffix.lower() in ('.zip', '.tar', '.gz', '.7z', '.rar')
        hint = ': unpack it first' if archive else ''
        found = 'is a file, expected a folder' if there else 'is not there'
        raise DataError(f'{root} {found}{hint} (looked from {Path.cwd()})')


def _why_ignored(path: Path, inside: Path) -> str | None:
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(inside):
            return 'a link that leads out of the folder'
        mode = path.stat().st_mode
    except (OSError, RuntimeError):  # of a loop of links, before Python 3.13
        return 'a link that leads nowhere'
    if stat.S_ISDIR(mode):
        return 'a link to a folder, which is not followed'
    return None if stat.S_ISREG(mode) else 'a pipe, device or socket, expected a file'


def _is_image(path: Path) -> bool:
    return path.suffix.lower() not in NO_IMAGES and is_image(path)


def _spellings(name: str) -> Iterator[str]:
    """Possible readings of a file name: itself, or part of a URL (Label Studio's ``?d=``)."""
    plain, _, query = name.partition('?')
    fields = (field.partition('=') for field in query.split('&'))
    texts = [name, *(value for key, _, value in fields if key == 'd'), *([plain] if query else [])]
    for text in texts:
        yield text
        if '%' in text:
            yield unquote(text)


def _key(name: str) -> str:
    return normalized(name).casefold()


def _without_specials(name: str) -> str:
    """A name as Label Studio stores uploads: spaces as underscores, special characters dropped."""
    return re.sub(r'[^-\w.]', '', name.replace(' ', '_'))


def _stem(name: str) -> str:
    last = name.replace('\\', '/').rpartition('/')[2]
    stem, dot, suffix = last.rpartition('.')
    return stem if dot and f'.{suffix.lower()}' in IMAGE_SUFFIXES else last


def _shown(name: str) -> str:
    return name if len(name) <= 100 else f'{name[:100]}...'


def _common(first: Iterable[str], second: Iterable[str]) -> int:
    count = 0
    for a, b in zip(first, second, strict=False):
        if _key(a) != _key(b):
            break
        count += 1
    return count
