"""Which GPUs this process may use, without asking torch: plans and drivers need it too."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

SEEN = "CUDA_VISIBLE_DEVICES"
"""the environment variable that says which GPUs a process sees"""
_UNCOUNTED = ("/dev/kfd", "/dev/dxg")
"""devices of AMD's driver, and of Windows' subsystem for Linux: GPUs whose number they do not tell"""
_BUILD = re.compile(r"^(?:cuda|hip)\b[^=\n]*= *'", re.MULTILINE)


def gpu_names() -> list[str] | None:
    """Those that this process may use, as CUDA_VISIBLE_DEVICES calls them; None if that is not known."""
    visible = os.environ.get(SEEN)
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    if any(Path(device).exists() for device in _UNCOUNTED):
        return None
    there = [path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia*")]
    return [str(place) for place, _ in enumerate(filter(str.isdigit, there))]


def without_cuda() -> str:
    """Why torch has no CUDA device here, as far as can be seen from outside; empty: it should have one."""
    if gpu_names() == []:
        hidden = f", for {SEEN} hides all" if SEEN in os.environ else ""
        return f"there is no GPU here{hidden}"
    if not _built_for_gpus():
        return "the torch that is installed is a build for the CPU"
    return ""


def _built_for_gpus() -> bool:
    """By the file in which a build of torch says what it is for; False where torch is not installed."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        return bool(_BUILD.search(Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")))
    except OSError:
        return False
