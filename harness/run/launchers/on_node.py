"""What keeps a node of a cluster from doing a job, which it says itself before it begins; other nodes go on.

a folder that it does not see     an error: the job is started again, on another node if there is one
a scratch disk that is full       likewise
a clock that differs              said at once, no error: results do not depend on it, times in files do
"""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import time
from pathlib import Path

from harness.base.errors import FAILED, UserError

LEAST_FREE = 100_000_000
"""bytes of a node's scratch disk, below which neither Ray nor what it starts can be relied on"""
CLOCK_SECONDS = 5.0
"""that two clocks may differ"""
_ARRIVAL = "node.json"


def check_sees(folder: Path) -> None:
    """Raises: UserError if this node does not."""
    if not folder.is_dir():
        raise UserError(
            f"node {platform.node()} does not see {folder}. Call `rence run --launcher ray` in a folder that every "
            "node of the cluster sees under the same path.",
            FAILED,
        )


def check_scratch() -> None:
    """Raises: UserError if this node's folder for temporary files has no room."""
    place = tempfile.gettempdir()
    space = shutil.disk_usage(place)
    if space.free < LEAST_FREE:
        raise UserError(
            f"node {platform.node()} has {space.free / 1e6:.0f} MB left of {space.total / 1e9:.1f} GB in {place}, its "
            "scratch disk: nothing that is started there can be relied on. Free some, or point TMPDIR elsewhere before "
            "`ray start`.",
            FAILED,
        )


def arrive(log: Path) -> None:
    """Leave this node's name and time beside a job's log."""
    said = {"node": platform.node(), "time": time.time()}
    log.with_name(_ARRIVAL).write_text(json.dumps(said), encoding="utf-8")


def clock_words(log: Path, submitted: float, now: float) -> str | None:
    """What is to be said of the clock of the node that the job has arrived on; None before it has.

    Args:
        submitted: when the job was handed to Ray, by this machine's clock, as is `now`.
    """
    try:
        said = json.loads(log.with_name(_ARRIVAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    # It has arrived after it was submitted and before now: what is outside is the least by which its clock differs.
    ahead, behind = said["time"] - now, submitted - said["time"]
    if max(ahead, behind) <= CLOCK_SECONDS:
        return ""
    by = f"{ahead:.0f} s ahead of" if ahead > behind else f"{behind:.0f} s behind"
    return (
        f"the clock of node {said['node']} is {by} this machine's: times in its logs and in timing.json are by it. "
        "Results do not depend on it; NTP on every node mends it."
    )
