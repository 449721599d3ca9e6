"""The commands that install what is missing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

PROJECT = "rence-bench"
SOURCE = Path(__file__).parents[2]
"""the checkout, if this is one"""
OTHER_PINS = ("gpu",)
"""extras whose versions are not those of constraints.txt: verl[vllm] pins a torch of its own"""
CPU_BUILD = "make venv-verl in a checkout of rence-bench, then .venv-verl/bin/rence"
"""verl with vLLM's CPU build, whose versions fit no other environment"""


def install(extra: str) -> str:
    """The command that installs an extra."""
    inside = f"[{extra}]" if extra else ""
    if not (SOURCE / "constraints.txt").exists():
        return f"{pip()} install '{PROJECT}{inside}'"
    source = Path() if Path.cwd() == SOURCE else SOURCE
    pins = "" if extra in OTHER_PINS else f"-c {source / 'constraints.txt'} "
    return f"{pip()} install {pins}-e '{source}{inside}'"


def pip() -> str:
    """`pip`, if that is this Python's."""
    first = shutil.which("pip")
    return "pip" if first and Path(first).parent == Path(sys.executable).parent else f"{sys.executable} -m pip"
