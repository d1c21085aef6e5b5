"""Whether freed memory is reused, measured in page faults."""

import subprocess
import sys

import pytest

#: Run in a separate process: in this one, memory that was freed before would be reused.
COUNT = """
import resource, sys
import torch
import mmdet_cleargrasp.registered_types  # what a run has imported by then
from mmdet_cleargrasp.compat.cpu_memory import keep_freed_memory

if not keep_freed_memory(sys.argv[1] == 'keep'):
    sys.exit('another allocator')
torch.ones(2**24 + 2**20)  # more than 64 MB, above glibc's largest mmap and trim thresholds
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode):
    done = subprocess.run([sys.executable, '-c', COUNT, mode], capture_output=True, text=True)
    if done.stderr.endswith('another allocator\n'):
        pytest.skip('not the allocator of glibc')
    return int(done.stdout.split()[-1])


def test_freed_memory_is_kept_on_request():
    kept, returned = page_faults('keep'), page_faults('return')
    # One of the four tensors may still get new memory, depending on where the allocator puts it.
    assert kept < returned / 2
