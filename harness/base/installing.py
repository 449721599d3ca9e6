"""The commands that install what is missing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

PROJECT = "rence-bench"
SOURCE = Path(__file__).parents[2]
"""the checkout, if this is one"""
CPU_BUILD = "make venv-verl in a checkout of rence-bench, then .venv-verl/bin/rence"
"""verl with vLLM's CPU build, whose versions fit no other environment"""


def install(extra: str) -> str:
    """The command that installs an extra."""
    inside = f"[{extra}]" if extra else ""
    if not (SOURCE / "pyproject.toml").exists():
        return f"{pip()} install '{PROJECT}{inside}'"
    source = Path() if Path.cwd() == SOURCE else SOURCE
    return f"{pip()} install -e '{source}{inside}'"


def pip() -> str:
    """`pip`, if that is this Python's."""
    first = shutil.which("pip")
    return "pip" if first and Path(first).parent == Path(sys.executable).parent else f"{sys.executable} -m pip"
