"""Data sets of other formats, turned into the COCO layout that training reads.

Every format is a module with ``TITLE``, ``LISTS_IMAGES``, ``recognize(folder)`` and
``read(folder)``. Whole-set readers of other libraries stop at the first line that is not as it
should be; these leave out what cannot be used, say why, and go on. Tests hold them against the
writers of labelformat and supervision.
"""

from __future__ import annotations

from .convert import Report, convert
from .formats import FORMATS, recognize
from .source import Box, Folder, Picture, Skipped, Source
from .splitting import part

__all__ = [
    'FORMATS',
    'Box',
    'Folder',
    'Picture',
    'Report',
    'Skipped',
    'Source',
    'convert',
    'part',
    'recognize',
]
