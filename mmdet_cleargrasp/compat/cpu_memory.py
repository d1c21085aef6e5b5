"""Settings of the memory allocator for runs on a CPU."""

from __future__ import annotations

import ctypes
import platform

#: Parameters of ``mallopt``, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
#: glibc's defaults: the upper limit of its dynamic mmap threshold, in bytes, and the maximum number
#: of blocks allocated with mmap.
MMAP_THRESHOLD, MMAP_MAX = 32 * 2**20, 65536


def keep_freed_memory(keep: bool = True) -> bool:
    """Keep freed memory in the process for later tensors, or return it to the system (default).

    By default glibc returns every block above 32 MB to the system at once. Feature maps of large
    images are such blocks: each training step allocates them again, and the kernel has to zero
    every page, which takes a good part of a step on a CPU. With ``keep``, the next tensors reuse
    them; peak memory grows a little (docs/performance.md) and is not returned between peaks. The
    environment variables ``MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=-1`` do the same.

    Args:
        keep: ``False`` restores glibc's default.

    Returns:
        Whether the setting was applied; ``False`` where the C library is not glibc.

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
