"""A process that keeps what it frees asks the system for memory once."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, sys
import torch
from lib.loops.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step = [torch.ones(2**20) for _ in range(32)]  # 4 MB each
        del step
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than that of GNU")
def test_freed_memory_is_kept_for_the_next_step():
    def faults(word: str) -> int:
        command = [sys.executable, "-c", COUNT, word]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert faults("keep") < 200 < 20_000 < faults("give back")
