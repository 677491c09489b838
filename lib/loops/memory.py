"""The memory that a training on a CPU works in."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt` in malloc.h of the GNU C library."""

LARGEST, LARGEST_BEFORE = 2**31 - 1, 2**25
"""Thresholds that `mallopt` takes, bytes; older versions limit that of blocks (mallopt(3))."""


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
    if mallopt is None:
        return False
    # Blocks first: to set the other alone would fix the threshold of blocks where it is, at 128 KiB.
    has_threshold = any(mallopt(MMAP_THRESHOLD, size) for size in (LARGEST, LARGEST_BEFORE))
    return has_threshold and bool(mallopt(TRIM_THRESHOLD, LARGEST))
