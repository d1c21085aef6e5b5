"""Reading annotation files that other programs and people have written, in any usual encoding."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

T = TypeVar('T')

#: Byte order marks, the longer first: UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
#: A data.yaml that names 10,000 classes has half of this.
MAX_YAML_BYTES = 512 * 1024
#: Letters outside ASCII as Western European words have them: one, or a few lowercase ones.
WESTERN = re.compile('[À-ÖØ-öø-ÿŠšŽžŒœŸ°²³µ×€]|[ß-öø-ÿœšž]{2}')


class UnreadableFile(ValueError):
    """A file that is not what its name says; the text says why."""


def decode(data: bytes) -> tuple[str, str]:
    """Text of a file, and the encoding that it was taken for.

    UTF-8 and UTF-16, with or without a byte order mark, and UTF-32 are recognized. Anything else is
    taken for Windows' Western encoding where it reads as such.

    Args:
        data: The file's bytes.

    Raises:
        UnreadableFile: None of these encodings.

    Example:
        >>> decode('größe'.encode('utf-16')), decode('Näpfe'.encode('cp1252'))
        (('größe', 'utf-16'), ('Näpfe', 'cp1252'))
    """
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), None)
    if encoding is None and b'\0' in data[:200]:
        # ASCII in UTF-16 has a zero in every other byte.
        encoding = 'utf-16-le' if data[1:200:2].count(0) >= data[0:200:2].count(0) else 'utf-16-be'
    try:
        return data.decode(encoding or 'utf-8'), encoding or 'utf-8'
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode('cp1252')
    except UnicodeDecodeError:
        text = ''
    foreign = re.findall(r'[^\x00-\x7f]+', text)
    if encoding is None and foreign and all(WESTERN.fullmatch(letters) for letters in foreign):
        return text, 'cp1252'
    raise UnreadableFile('its text is not UTF-8: open it in an editor and save it as UTF-8')


def read_text(path: Path) -> str:
    """Text of a file, see :func:`decode`.

    Raises:
        UnreadableFile: It cannot be opened or decoded.
    """
    return decode(_read_bytes(path))[0]


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        UnreadableFile: It cannot be opened or decoded, or is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except RecursionError:
        raise UnreadableFile('no valid JSON: nested too deeply') from None
    except ValueError as error:
        raise UnreadableFile(f'no valid JSON: {error}') from error


def read_xml(path: Path) -> Element:
    """The root of an XML file.

    Raises:
        UnreadableFile: It cannot be opened or decoded, is no XML, or defines entities, which may
            expand to more than memory holds.
    """
    data = _read_bytes(path)
    try:
        return fromstring(data)
    except DefusedXmlException as error:
        raise UnreadableFile('XML that defines entities, which is not read') from error
    except (ValueError, LookupError, ParseError) as error:
        # The encoding that it declares may be wrong, as after saving in another editor.
        text, encoding = decode(data)
        if encoding == 'utf-8':
            raise UnreadableFile(f'no valid XML: {error}') from error
    try:
        return fromstring(re.sub(r'^\s*<\?xml.*?\?>', '', text, flags=re.DOTALL))
    except (ValueError, ParseError, DefusedXmlException) as error:
        raise UnreadableFile(f'no valid XML: {error}') from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of plain values.

    Raises:
        UnreadableFile: It cannot be opened or decoded, is no YAML, or uses aliases, which may
            expand to more than memory holds.
    """
    data = _read_bytes(path)
    if len(data) > MAX_YAML_BYTES:
        raise UnreadableFile(f'a YAML file of {len(data):,} bytes, expected {MAX_YAML_BYTES:,}')
    text = decode(data)[0]
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506  a SafeLoader
    except RecursionError:
        raise UnreadableFile('no valid YAML: nested too deeply') from None
    except (ValueError, OverflowError, yaml.YAMLError) as error:
        raise UnreadableFile(f'no valid YAML: {" ".join(str(error).split())}') from error


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank.

    Raises:
        UnreadableFile: It cannot be opened or decoded.
    """
    lines = read_text(path).splitlines()
    return [line.strip() for line in lines if line.strip()]


def readable(read: Callable[[Path], T], path: Path) -> T | None:
    """What a function of this module returns; ``None`` where it would raise."""
    try:
        return read(path)
    except UnreadableFile:
        return None


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few hundred bytes of them expand to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError('it uses an alias (*name), which is not read')
        return super().compose_node(parent, index)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f'it cannot be opened: {error.strerror}') from error
    except MemoryError as error:
        raise UnreadableFile('it does not fit into memory') from error
