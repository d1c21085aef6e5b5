"""Decode text files from other programs, in any common encoding."""

from __future__ import annotations

import codecs
import re

#: Byte order marks and encodings. UTF-32 comes before UTF-16, whose mark its own begins with.
MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
#: Non-ASCII letters as they occur in Western European words: one, or two lowercase ones.
WESTERN = re.compile('[À-ÖØ-öø-ÿŠšŽžŒœŸ°²³µ×€]|[ß-öø-ÿœšž]{2}')


def is_digits(text: str) -> bool:
    """Whether a text consists of 1 to 9 ASCII digits, so that ``int`` accepts it.

    ``str.isdigit`` also accepts characters such as ``'²'`` and more digits than ``int`` converts.

    Args:
        text: Text from a command line or file.

    Example:
        >>> is_digits('12'), is_digits('²'), is_digits('-1'), is_digits('9' * 5000)
        (True, False, False, False)
    """
    return re.fullmatch('[0-9]{1,9}', text) is not None


def decode(data: bytes) -> tuple[str, str]:
    """Decode the text of a file whose encoding is unknown.

    Recognizes UTF-8 and UTF-16 with or without a byte order mark, and UTF-32 with one. Other files
    are decoded as Windows-1252 (Western European) if the result looks like words.

    Args:
        data: Content of the file.

    Returns:
        The text and the name of the encoding.

    Raises:
        ValueError: The text has none of these encodings.

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
