"""What a trial ran on: versions, source revision, processor. Nothing that varies between two attempts."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("rence-bench", "torch", "transformers", "tokenizers", "safetensors", "numpy", "pyarrow", "flash-attn")


@cache
def environment() -> dict[str, str]:
    """Reads metadata only: nothing heavy is imported."""
    versions = {name: found for name in PACKAGES if (found := _version(name))}
    commit, dirty = _revision(Path(__file__).parent)
    return {
        "python": platform.python_version(),
        **versions,
        "commit": commit,
        "dirty": dirty,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _revision(folder: Path) -> tuple[str, str]:
    """Commit and whether tracked files differ from it; empty outside a checkout of this source."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        if not git("ls-files", "--error-unmatch", Path(__file__).name):
            return "", ""
        return git("rev-parse", "HEAD"), str(bool(git("status", "--porcelain", "--untracked-files=no"))).lower()
    except FileNotFoundError:
        return "", ""


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
