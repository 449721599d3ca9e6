"""Memory that a process may have: the machine's, or less where a container or a SLURM job limits it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def memory(proc: Path = PROC, cgroup: Path = CGROUP) -> tuple[int, int]:
    """Bytes that could be taken without swapping, and all; those of the container where it has a limit.

    Args:
        cgroup: where control groups are, of either version.
    """
    rows = [line.split() for line in lines_of(proc / "meminfo")]
    known = {row[0].rstrip(":"): 1024 * int(row[1]) for row in rows if len(row) > 1}
    total = known.get("MemTotal", os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    free = known.get("MemAvailable", total)
    least = total
    for folder, (limit, current, stat, cached) in _groups(proc, cgroup):
        most, used = _number(folder / limit), _number(folder / current)
        if most is not None and used is not None and most < total:
            # Cached files count as used, and are given back when memory is asked for.
            counts = dict(line.split()[:2] for line in lines_of(folder / stat))
            free, least = min(free, most - used + int(counts.get(cached, 0))), min(least, most)
    return free, least


def _groups(proc: Path, cgroup: Path) -> Iterator[tuple[Path, tuple[str, str, str, str]]]:
    """Control groups that limit this process's memory: its own, as of a SLURM job, and all above; the topmost is a
    container's. Each with the names of its files."""
    for line in [*lines_of(proc / "self/cgroup"), "0::/", "0:memory:/"]:
        number, controllers, own = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            root, names = cgroup, ("memory.max", "memory.current", "memory.stat", "inactive_file")
        elif "memory" in controllers.split(","):
            root = cgroup / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file")
        else:
            continue
        place = root / own.strip("/")
        yield from ((folder, names) for folder in (place, *place.parents) if folder.is_relative_to(root))


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.isdigit() else None


def lines_of(file: Path) -> list[str]:
    """None where there is no such file, or it may not be read."""
    return _text(file).splitlines()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
