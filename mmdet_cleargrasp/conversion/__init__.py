"""Data sets of other formats, converted to the COCO layout that training reads.

Every format is a module with ``TITLE``, ``recognize(folder)`` and ``read(folder)``. Readers of
other libraries stop at the first malformed annotation; these skip what cannot be used, report why,
and continue. Tests compare them with the writers of labelformat and supervision.
"""

from __future__ import annotations

from .boxes import Box
from .convert import convert
from .folder import Folder
from .formats import FORMATS, recognize
from .labels import Picture
from .options import ConversionOptions
from .source import Skipped, Source
from .splitting import split_at_random
from .writing import Report

__all__ = [
    'FORMATS',
    'Box',
    'ConversionOptions',
    'Folder',
    'Picture',
    'Report',
    'Skipped',
    'Source',
    'convert',
    'recognize',
    'split_at_random',
]
