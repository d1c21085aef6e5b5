"""Memory allocator settings of runs on a CPU."""

from __future__ import annotations

import ctypes
import platform

#: glibc's numbers for what ``mallopt`` sets, of its malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
#: Where glibc's own thresholds end up once blocks of that size came and went, and its MMAP_MAX.
MMAP_THRESHOLD, MMAP_MAX = 32 * 2**20, 65536


def keep_freed_memory(keep: bool = True) -> bool:
    """Keep freed memory for later tensors, or return it to the system as usual.

    By default glibc returns every block above 32 MB to the system at once. Feature maps of large
    images are such blocks: each step allocates them again, and the system hands out page after page
    filled with zeros, on a CPU a good part of a step. Kept, they serve the next tensors; the peak
    grows a little (docs/performance.md), and between peaks nothing is given back. Only the
    allocator of Linux's glibc can be told; the variables ``MALLOC_MMAP_MAX_=0
    MALLOC_TRIM_THRESHOLD_=-1`` do the same from outside.

    Args:
        keep: ``False`` for glibc's own way.

    Returns:
        Whether the allocator was told.

    Example:
        >>> keep_freed_memory() == keep_freed_memory(keep=False)
        True
    """
    if platform.libc_ver()[0] != 'glibc':
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = {
        M_MMAP_MAX: 0 if keep else MMAP_MAX,
        M_MMAP_THRESHOLD: MMAP_THRESHOLD,
        M_TRIM_THRESHOLD: -1 if keep else 2 * MMAP_THRESHOLD,
    }
    return all([mallopt(name, value) for name, value in settings.items()])
