"""Fast checks of a COCO data set that prevent failed or silently wrong runs."""

from .overlap import check_overlap
from .split import check_split

__all__ = ['check_overlap', 'check_split']
