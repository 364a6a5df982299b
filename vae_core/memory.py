"""Makes glibc reuse freed blocks instead of returning them to the system."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_freed_memory(largest: int = 32 * 2**20) -> bool:
    """Makes glibc keep freed blocks of up to `largest` bytes for later requests, twice that in total.

    It would otherwise return them to the system, which clears each page again when it is next touched: decoding in
    chunks of 8 MiB took half as long again.

    Returns:
        whether glibc is there and took the setting; other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, largest) and mallopt(_M_TRIM_THRESHOLD, 2 * largest))
