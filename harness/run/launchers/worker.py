"""What a Ray job does on its node, started by `python -m rence.job FOLDER RUN JOB ATTEMPT`.

FOLDER is where `rence` was called, from where relative paths are meant; RUN the run folder, JOB the job's name. What
goes wrong before the job has its log is printed, and Ray keeps it.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from harness import config
from harness.records import RunFolder
from harness.run import jobs
from harness.run.launchers import on_node
from harness.run.launchers.process import log_of, work


def main(folder: str, run: str, name: str, attempt: int) -> int:
    """The exit code of the job.

    Raises: UserError if this node does not see the run folder, or has no room for what it would start.
    """
    on_node.check_sees(Path(folder, run))
    on_node.check_scratch()
    os.chdir(folder)
    root = RunFolder(Path(run))
    job = next(job for job in jobs.of(root, config.load_run(root.resolved)) if job.name == name)
    on_node.check_sees(Path(folder, log_of(job, attempt)).parent)
    on_node.arrive(log_of(job, attempt))
    print(f"{name} on {platform.node()}, process {os.getpid()}", flush=True)
    return work(job, attempt)
