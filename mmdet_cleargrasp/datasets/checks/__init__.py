"""Checks of a COCO data set that are fast and prevent a failed or silently wrong run."""

from .overlap import check_overlap
from .split import check_split

__all__ = ['check_overlap', 'check_split']
