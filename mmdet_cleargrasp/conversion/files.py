"""Reading annotation files of other programs, in any usual encoding."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from ..utils.regular_files import read_regular_file
from ..utils.text_files import decode

T = TypeVar('T')

#: Twice the size of a data.yaml with 10,000 classes.
MAX_YAML_BYTES = 512 * 1024


class UnreadableFile(ValueError):
    """A file that cannot be read; the text says why."""


def read_text(path: Path) -> str:
    """Text of a file, see :func:`.decode`.

    Raises:
        UnreadableFile: It cannot be opened or decoded.
    """
    return _decoded(_read_bytes(path))


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        UnreadableFile: It cannot be opened or decoded, or is not JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except RecursionError:
        raise UnreadableFile('invalid JSON: nested too deeply') from None
    except ValueError as error:
        raise UnreadableFile(f'invalid JSON: {error}') from error


def read_xml(path: Path) -> Element:
    """The root of an XML file.

    Raises:
        UnreadableFile: It cannot be opened or decoded, is not XML, or defines entities, which may
            expand without limit.
    """
    data = _read_bytes(path)
    try:
        return fromstring(data)
    except DefusedXmlException as error:
        raise UnreadableFile('XML with entity definitions, which are not supported') from error
    except (ValueError, LookupError, ParseError) as error:
        # The declared encoding may be wrong, as after saving in another editor.
        text = _decoded(data)
        if text.encode() == data:
            raise UnreadableFile(f'invalid XML: {error}') from error
    try:
        return fromstring(re.sub(r'^\s*<\?xml.*?\?>', '', text, flags=re.DOTALL))
    except (ValueError, ParseError, DefusedXmlException) as error:
        raise UnreadableFile(f'invalid XML: {error}') from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of plain values.

    Raises:
        UnreadableFile: It cannot be opened or decoded, is not YAML, or uses aliases, which may
            expand without limit.
    """
    data = _read_bytes(path)
    if len(data) > MAX_YAML_BYTES:
        raise UnreadableFile(f'a YAML file of {len(data):,} bytes, expected {MAX_YAML_BYTES:,}')
    text = _decoded(data)
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506  a SafeLoader
    except RecursionError:
        raise UnreadableFile('invalid YAML: nested too deeply') from None
    except (ValueError, OverflowError, yaml.YAMLError) as error:
        raise UnreadableFile(f'invalid YAML: {" ".join(str(error).split())}') from error


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank.

    Raises:
        UnreadableFile: It cannot be opened or decoded.
    """
    lines = read_text(path).splitlines()
    return [line.strip() for line in lines if line.strip()]


def readable(read: Callable[[Path], T], path: Path) -> T | None:
    """Result of a function of this module; ``None`` if it raises."""
    try:
        return read(path)
    except UnreadableFile:
        return None


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few hundred bytes could expand to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError('it uses an alias (*name), which is not supported')
        return super().compose_node(parent, index)


def _decoded(data: bytes) -> str:
    try:
        return decode(data)[0]
    except ValueError as error:
        raise UnreadableFile(str(error)) from error


def _read_bytes(path: Path) -> bytes:
    try:
        return read_regular_file(path)
    except OSError as error:
        raise UnreadableFile(f'it cannot be opened: {error.strerror}') from error
    except MemoryError as error:
        raise UnreadableFile('it does not fit into memory') from error
