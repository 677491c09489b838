"""A process that keeps what it frees asks the system for memory once."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import ctypes, resource
import torch
from lib.loops.memory import MMAP_THRESHOLD, keep_freed_memory

library = ctypes.CDLL(None)
library.prctl(41, 1, 0, 0, 0)  # no huge pages (PR_SET_THP_DISABLE), of which few make a block
library.mallopt(MMAP_THRESHOLD, 2**17)  # where it begins; by itself it may rise, which depends on chance

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step = [torch.ones(2**20) for _ in range(32)]  # 4 MB each
        del step
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
assert keep_freed_memory()
faults()
print(given_back, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than that of GNU")
def test_freed_memory_is_kept_for_the_next_step():
    ran = subprocess.run([sys.executable, "-c", COUNT], check=True, capture_output=True, text=True)
    given_back, kept = map(int, ran.stdout.split())
    assert given_back > 20_000  # 1,024 pages for each of 320 blocks
    assert kept < 200
