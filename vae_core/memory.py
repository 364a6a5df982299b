"""How the C library keeps memory that has been freed."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_freed_memory(largest: int = 32 * 2**20) -> bool:
    """Has glibc keep freed blocks of up to `largest` bytes for the next request, twice that in all.

    It would otherwise hand them back to the system, which clears each page anew when it is touched again: decoding in
    chunks of 8 MiB was seen to take half as long again.

    Returns:
        whether there is a glibc to tell; other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, largest) and mallopt(_M_TRIM_THRESHOLD, 2 * largest))
