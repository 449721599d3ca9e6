"""Memory that is given back is kept for what is asked for next, not returned to the system.

glibc takes each large block from the system and gives it back, and the system fills it with zeros anew, a page fault
for every 4 KB. Tensors of a pass are such blocks: a fifth of a training step of a 10M model is spent so, and a third of
an evaluation with a large vocabulary (docs/LOG.md). What a process keeps is at most what it once had.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""of glibc's malloc.h"""
_MOST = 2**31 - 1
"""bytes at the heap's end that are kept: as many as `mallopt` can be told"""


@cache
def keep_memory() -> bool:
    """For the rest of this process, whoever asks. Whether it could be had: on Linux with glibc, unless the environment
    says how malloc is to be (MALLOC_MMAP_MAX_, MALLOC_TRIM_THRESHOLD_ and the like, which glibc reads at the start)."""
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return bool(mallopt and mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _MOST))
