"""docs/reference/python.md is what its generator makes; the notebook runs and has its outputs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_generator_makes() -> None:
    done = subprocess.run(
        [sys.executable, "docs/reference/make_python.py", "--check"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
