"""Results of a batch on disk, one line per image, to resume it and to share it among processes.

A folder of results has ``batch.json``, the settings that the results depend on, and a journal per
shard, ``results.jsonl``. A line has an image's row of ``images.csv`` and its detections.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..utils.atomic_files import write_json
from ..utils.errors import ConfigError, DataError
from ..utils.json_files import read_json_object
from ..utils.regular_files import open_regular_file
from .results import COLUMNS, IMAGE_COLUMNS

SETTINGS_FILE = 'batch.json'
#: Columns of ``detections.csv`` that always hold a number.
NUMBERS = ('score', 'x', 'y', 'box_width', 'box_height')

#: An image's row of ``images.csv``, and its rows of ``detections.csv``.
Result = tuple[dict[str, Any], list[dict[str, Any]]]


@dataclass(frozen=True)
class Shard:
    """Every N-th image of a batch.

    Attributes:
        number: Which one, from 1.
        count: How many there are.
    """

    number: int = 1
    count: int = 1

    def has(self, index: int) -> bool:
        """Whether the image with an index, from 0, belongs to the shard.

        Example:
            >>> [index for index in range(6) if Shard(2, 3).has(index)]
            [1, 4]
        """
        return index % self.count == self.number - 1

    @property
    def file_name(self) -> str:
        """Name of its journal."""
        return (
            'results.jsonl' if self.count == 1 else f'results_{self.number}_of_{self.count}.jsonl'
        )


def open_folder(out_dir: Path, settings: Mapping[str, Any]) -> None:
    """Create a folder for results, or continue in one with results of the same settings.

    Args:
        out_dir: The folder.
        settings: All settings that results depend on; written by the first process.

    Raises:
        ConfigError: It contains other files, is a file, or cannot be created.
    """
    file = out_dir / SETTINGS_FILE
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        # Listed first, since another shard may write the settings at the same time.
        is_empty = all(path.name.startswith('.') for path in out_dir.iterdir())
        if not file.exists():
            if not is_empty:
                raise ConfigError(
                    f'{out_dir} is not empty, and nothing is overwritten: name another folder '
                    '(--out)'
                )
            write_json(file, settings)
        found = read_json_object(file)
    except OSError as error:
        raise ConfigError(f'{out_dir} cannot be made a folder: {error.strerror}') from error
    except DataError as error:
        raise ConfigError(f'{error}: choose another folder (--out)') from error
    expected = json.loads(json.dumps(settings))
    names = [name for name in expected if found.get(name) != expected[name]]
    if names:
        changes = '; '.join(f'{name}: {found.get(name)}, now {expected[name]}' for name in names)
        raise ConfigError(
            f'{out_dir} has results of other settings ({changes}): choose another folder (--out)'
        )


class Journal:
    """The results of one shard, to append to.

    Args:
        out_dir: From :func:`open_folder`; no other process may append to the same journal.
        shard: Of the images.

    Attributes:
        done: Names of the images that have results.
    """

    def __init__(self, out_dir: Path, shard: Shard) -> None:
        self.path = out_dir / shard.file_name
        _remove_torn_line(self.path)
        self.done = {entry['image'] for entry, _ in _read(self.path)}

    def add(self, entry: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
        """Append the results of an image, once: a signal may arrive before the caller notes it."""
        if entry['image'] not in self.done:
            self.done.add(entry['image'])
            self._write({'image': entry, 'detections': rows})

    def finish(self) -> None:
        """Mark the shard as complete."""
        self._write({'finished': True})

    def _write(self, content: Mapping[str, Any]) -> None:
        with open_regular_file(self.path) as file:
            file.write(f'{json.dumps(content)}\n')


def read_results(
    out_dir: Path, shards: int = 1, classes: Collection[str] | None = None
) -> Iterator[Result]:
    """The results of all shards in the order of the images, one by one.

    Args:
        out_dir: Of :func:`open_folder`.
        shards: How many there are.
        classes: Names that detections may have; by default any.

    Raises:
        ConfigError: A journal is damaged.
    """
    paths = [out_dir / Shard(k, shards).file_name for k in range(1, shards + 1)]
    for results in itertools.zip_longest(*(_read(path, classes) for path in paths)):
        yield from (result for result in results if result is not None)


def unfinished_shards(out_dir: Path, shards: int) -> list[int]:
    """Numbers of the shards that lack results."""
    paths = {k: out_dir / Shard(k, shards).file_name for k in range(1, shards + 1)}
    return [k for k, path in paths.items() if not (path.is_file() and _is_finished(path))]


def _is_finished(path: Path) -> bool:
    with path.open('rb') as file:
        file.seek(-min(path.stat().st_size, 32), os.SEEK_END)
        return file.read().endswith(b'{"finished": true}\n')


def _read(path: Path, classes: Collection[str] | None = None) -> Iterator[Result]:
    with path.open('rb') as file:
        for number, line in enumerate(file, 1):
            try:
                content = json.loads(line.decode('ascii'))
                result = _result(content, classes) if 'image' in content else None
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ConfigError(
                    f'{path}, line {number} is damaged: remove the folder, and start again'
                ) from error
            if result:
                yield result


def _result(content: Any, classes: Collection[str] | None) -> Result:
    """A line's result, with all columns of the tables and the types that they need."""
    image, rows = content['image'], content['detections']
    for entry, columns in ((image, IMAGE_COLUMNS), *((row, COLUMNS) for row in rows)):
        if not all(isinstance(entry[name], str | int | float) for name in columns):
            raise ValueError('a column of another type')
        if not isinstance(entry['image'], str):
            raise ValueError('an image without a name')
    numbers = [row[name] for row in rows for name in NUMBERS]
    if not image['problem']:
        numbers += [image['width'], image['height']]
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        raise ValueError('a number of another type')
    if classes is not None and not all(row['class'] in classes for row in rows):
        raise ValueError('a class that the detector does not have')
    return image, rows


def _remove_torn_line(path: Path) -> None:
    """Remove the incomplete last line of a process that was killed."""
    with open_regular_file(path) as text:
        file = text.buffer
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 2**16)
            file.seek(start)
            newline = file.read(end - start).rfind(b'\n')
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)
