"""What a Ray job does on its node, started by `python -m rence.job FOLDER RUN JOB ATTEMPT`.

FOLDER is where `rence` was called, from where relative paths are meant; RUN the run folder, JOB the job's name. What
goes wrong before the job has its log is printed, and Ray keeps it.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from harness import config
from harness.base.errors import UserError
from harness.records import RunFolder
from harness.run import jobs
from harness.run.launchers.process import log_of, work


def main(folder: str, run: str, name: str, attempt: int) -> int:
    """The exit code of the job.

    Raises: UserError if this node does not see the run folder.
    """
    if not Path(folder, run).is_dir():
        raise _unseen(Path(folder, run))
    os.chdir(folder)
    root = RunFolder(Path(run))
    job = next(job for job in jobs.of(root, config.load_run(root.resolved)) if job.name == name)
    if not log_of(job, attempt).parent.is_dir():
        raise _unseen(Path(folder, log_of(job, attempt)).parent)
    print(f"{name} on {platform.node()}, process {os.getpid()}", flush=True)
    return work(job, attempt)


def _unseen(folder: Path) -> UserError:
    return UserError(
        f"node {platform.node()} does not see {folder}. Call `rence run --launcher ray` in a folder that every node "
        "of the cluster sees under the same path."
    )
