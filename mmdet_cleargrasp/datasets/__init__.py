"""Data sets: a folder's layout, its checks, and a tiny drawn one to try things on."""

from .annotations import CocoFile, read_coco
from .checks import check_split
from .layout import find_splits
from .random_split import split_at_random
from .split import Split

__all__ = ['CocoFile', 'Split', 'check_split', 'find_splits', 'read_coco', 'split_at_random']
