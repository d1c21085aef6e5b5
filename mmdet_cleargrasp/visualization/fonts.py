"""Fonts that have the letters of a text.

Functions import matplotlib, since it takes long and only drawing needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path


@lru_cache
def find_font(text: str) -> str:
    """Find a font file that has all characters of a text.

    Args:
        text: Such as the names of files or classes, in any script.

    Returns:
        DejaVu Sans where it has them all, else the installed font that lacks the fewest.

    Example:
        >>> Path(find_font('Plate, пластина')).name
        'DejaVuSans.ttf'
    """
    needed = {ord(letter) for letter in text if letter.isprintable() and not letter.isspace()}
    if needed <= _letters(_dejavu_sans()):
        return _dejavu_sans()
    fonts = [_dejavu_sans(), *_installed_fonts()]
    return max(fonts, key=lambda path: len(needed & _letters(path)))


@contextmanager
def chart_fonts(text: str) -> Iterator[None]:
    """Context in which matplotlib uses fonts that have the characters of a text.

    Args:
        text: Such as the names of classes, in any script.

    Example:
        >>> import matplotlib
        >>> with chart_fonts('培养皿'):
        ...     matplotlib.rcParams['font.family'][0]
        'DejaVu Sans'
    """
    import matplotlib
    from matplotlib.font_manager import FontProperties, fontManager  # reads a list of all fonts

    path = find_font(text)
    if path != _dejavu_sans():
        fontManager.addfont(path)
    families = list(dict.fromkeys(['DejaVu Sans', FontProperties(fname=path).get_name()]))
    with matplotlib.rc_context({'font.family': families}):
        yield


@cache
def _dejavu_sans() -> str:
    """Comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Georgian and more."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / 'DejaVuSans.ttf')


@lru_cache
def _installed_fonts() -> list[str]:
    from matplotlib.font_manager import findSystemFonts  # reads a list of all fonts

    return sorted(findSystemFonts())


@cache
def _letters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # a damaged file, or a format that FreeType doesn't read
        return frozenset()
