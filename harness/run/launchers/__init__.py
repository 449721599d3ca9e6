"""Where jobs run: a launcher starts them and watches over them; what they do is the same everywhere.

base.py      what a launcher is, and what a running job is
process.py   what a job's process is like, wherever it runs: environment, log, signals
local.py     processes on this machine
ray.py       jobs of a running Ray cluster
worker.py    the program that such a job runs on its node
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.run.launchers.base import Launcher


class Where(StrEnum):
    """The launchers there are."""

    LOCAL = "local"
    RAY = "ray"


def get_launcher(where: Where) -> Launcher:
    """Imports the one that is asked for."""
    if where is Where.RAY:
        from harness.run.launchers.ray import RayLauncher

        return RayLauncher()
    from harness.run.launchers.local import LocalLauncher

    return LocalLauncher()
