"""What a process of this machine does, with nothing but the system's own means."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_BUSY = "RD"
"""states of a process that runs or waits for a processor, and of one that waits for a disk"""


def activity(pid: int) -> tuple[float, bool]:
    """Processor seconds that a process has had, and whether it now waits for something that is neither a processor nor
    a disk. Of a process that is gone, or where nothing can be known, (0, True)."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self/stat").exists():
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return 0.0, True
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] not in _BUSY
    found = subprocess.run(["ps", "-o", "time=,state=", "-p", str(pid)], capture_output=True, text=True, check=False)
    clock, _, state = found.stdout.strip().partition(" ")
    seconds = 0.0
    for part in clock.replace("-", ":").split(":"):  # [[days-]hours:]minutes:seconds
        seconds = 60 * seconds + float(part or 0)
    return seconds, state.strip()[:1] not in ("R", "D", "U")
