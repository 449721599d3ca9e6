"""Memory that was given back is kept where that can be had, and what the user says of malloc holds."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

SAID = "from harness.models.allocator import keep_memory; print(keep_memory(), keep_memory())"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")
def test_memory_is_kept_unless_the_environment_says_how_malloc_is_to_be() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    for environment, said in ((plain, "True True"), (plain | {"MALLOC_TRIM_THRESHOLD_": "131072"}, "False False")):
        ran = subprocess.run([sys.executable, "-c", SAID], env=environment, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == said
