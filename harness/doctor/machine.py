"""The machine: cores, memory, disk, threads, GPU."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness.base.findings import Finding, FindingState
from harness.base.machine_memory import memory
from harness.records.files import real_path

GB = 1e9
LITTLE_MEMORY = 2 * GB
LITTLE_DISK = 2 * GB
NO_DISK = 0.1 * GB
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def findings(folder: Path) -> Iterator[Finding]:
    """Cores, memory, disk, threads, GPU.

    Args:
        folder: whose disk is meant; it need not exist yet.
    """
    count = cores()
    yield Finding(
        "machine", FindingState.OK, f"{count} {'core' if count == 1 else 'cores'}: as many trials side by side"
    )
    yield _memory()
    yield _disk(folder)
    yield _threads(count)
    yield Finding(
        "gpu", FindingState.OK if gpu() else FindingState.NOTE, gpu() or "none found; the local backend does without"
    )


def cores() -> int:
    """That this process may use; a container's limit counts."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = _read(Path("/sys/fs/cgroup/cpu.max")).split()
    if len(limit) == 2 and limit[0] != "max":
        return max(1, min(allowed, int(limit[0]) // int(limit[1])))
    return allowed


def gpu() -> str:
    """What there is and how many, without asking torch; empty if nothing was found."""
    names = [
        line.partition(":")[2].strip()
        for info in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
        for line in _read(info).splitlines()
        if line.startswith("Model:")
    ]
    if Path("/dev/kfd").exists():
        names.append("AMD GPU")
    return ", ".join(f"{count} x {name}" for name, count in Counter(names).items())


def _memory() -> Finding:
    _, total = memory()
    found = f"{total / GB:.1f} GB of memory"
    if total < LITTLE_MEMORY:
        return Finding("machine", FindingState.NOTE, f"{found}: little", "rence run ... --workers 1")
    return Finding("machine", FindingState.OK, found)


def _disk(folder: Path) -> Finding:
    place = next(p for p in (real_path(folder), *real_path(folder).parents) if p.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / GB:.1f} GB free at {place}"
    if not os.access(place, os.W_OK):
        return Finding(
            "machine", FindingState.LACKS, f"{place} cannot be written to", "call rence in a folder of yours"
        )
    if free < NO_DISK:
        return Finding("machine", FindingState.LACKS, found, "free some space")
    return Finding("machine", FindingState.NOTE if free < LITTLE_DISK else FindingState.OK, found)


def _threads(count: int) -> Finding:
    set_here = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    found = f"{', '.join(set_here) or 'no limit is set'}; trials take one thread each by themselves"
    return Finding("threads", FindingState.OK, found)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
