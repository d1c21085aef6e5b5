"""Reading text that other programs and people have written, in any usual encoding."""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
from pathlib import Path

#: Byte order marks, the longer first: UTF-32's begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
#: Letters outside ASCII as Western European words have them: one, or a few lowercase ones.
WESTERN = re.compile('[À-ÖØ-öø-ÿŠšŽžŒœŸ°²³µ×€]|[ß-öø-ÿœšž]{2}')


def is_number(text: str) -> bool:
    """Whether a text is a small whole number, which ``int`` always reads.

    ``str.isdigit`` also accepts signs that ``int`` does not, and more digits than it takes.

    Args:
        text: Of a command line or file.

    Example:
        >>> is_number('12'), is_number('²'), is_number('-1'), is_number('9' * 5000)
        (True, False, False, False)
    """
    return re.fullmatch('[0-9]{1,9}', text) is not None


def read_regular_file(path: str | Path) -> bytes:
    """Bytes of a file; a pipe or device is refused, which could be read forever.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, 'Not a regular file', str(path))
    return Path(path).read_bytes()


def decode(data: bytes) -> tuple[str, str]:
    """Text of a file, and the encoding that it was taken for.

    UTF-8 and UTF-16, with or without a byte order mark, and UTF-32 are recognized. Anything else is
    taken for Windows' Western encoding where it reads as such.

    Args:
        data: The file's bytes.

    Raises:
        ValueError: None of these encodings; the text says what to do.

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
    raise ValueError('its text is not UTF-8: open it in an editor and save it as UTF-8')
