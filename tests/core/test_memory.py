"""Freed memory is kept, so that work in chunks does not page its memory in again with each of them."""

import subprocess
import sys

import pytest

from vae_core.memory import keep_freed_memory

PROGRAM = """
import resource, torch, vae_core
def work():
    for _ in range(20):
        image = torch.full((2 * 2**20,), 1.0)  # 8 MiB
        image = image + image
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
before = faults()
work()
print((faults() - before) * resource.getpagesize())
"""


@pytest.mark.skipif(not keep_freed_memory(), reason="no glibc")
def test_memory_is_paged_in_once():
    paged_in = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert int(paged_in) < 8 * 2**20  # of the 320 MiB that were asked for
