"""Data sets: a folder's layout, its checks, and a tiny drawn one to try things on."""

from .annotations import CocoFile, read_coco
from .checks import check_split
from .layout import Split, find_splits, split_at_random

__all__ = ['CocoFile', 'Split', 'check_split', 'find_splits', 'read_coco', 'split_at_random']
