"""The memory that a training on a CPU works in."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt` in malloc.h of the GNU C library."""

LARGEST = 2**31 - 1
"""What `mallopt` can be told, bytes: no block and no rest is ever as large."""


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, for its next step.

    The GNU C library may hand large blocks back to the system when they are free, which depends on where they
    happen to lie. Every step then gets its activations anew, page by page: thousands of page faults, a
    twentieth of the time of a small network's step. The largest use of memory stays what it is; between the
    steps it is not returned.

    Returns:
        Whether the C library could be told; others than that of GNU cannot.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(name, LARGEST) for name in (TRIM_THRESHOLD, MMAP_THRESHOLD))
