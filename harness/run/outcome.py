"""How a run went, and how a job of it failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base.errors import FAILED, INCOMPLETE, INTERRUPTED, OK, USAGE
from harness.records import RunFolder
from harness.run.jobs import Job, JobState


@dataclass(frozen=True)
class Failure:
    """A job that ended without being complete."""

    job: Job
    exit_code: int
    log: Path
    last_words: tuple[str, ...]

    @property
    def hits_all(self) -> bool:
        """Whether other jobs would fail likewise: a full disk, a model that cannot be read."""
        return self.exit_code in (USAGE, INCOMPLETE)


@dataclass
class RunOutcome:
    """How a run went."""

    run: RunFolder
    jobs: list[Job]
    worked: bool = False
    """whether there was anything to do"""
    interrupted: bool = False
    failures: list[Failure] = field(default_factory=list)
    retried: dict[str, list[str]] = field(default_factory=dict)
    """name of a job that was lost -> why it was started again, each time"""

    @property
    def exit_code(self) -> int:
        """130 if it was interrupted, 0 if no job failed. A failure that hits all jobs gives its own, 2 or 3, which
        names the cause; any other gives 1."""
        if self.interrupted:
            return INTERRUPTED
        if not self.failures:
            return OK
        return next((failure.exit_code for failure in self.failures if failure.hits_all), FAILED)

    @property
    def report(self) -> Path | None:
        """The page to open, or what there is in its place."""
        found = [self.run.report / name for name in ("index.html", "report.md")]
        return next((path for path in found if path.exists()), None)

    @property
    def open(self) -> int:
        """Jobs that are not complete."""
        return sum(job.state is JobState.OPEN for job in self.jobs)

    def to_json(self) -> dict[str, Any]:
        """What `rence run --json` prints."""
        failed = {failure.job.name: failure for failure in self.failures}
        return {
            "run": str(self.run.root),
            "exit_code": self.exit_code,
            "worked": self.worked,
            "jobs": {job.name: "failed" if job.name in failed else str(job.state) for job in self.jobs},
            "failures": {name: {"exit_code": f.exit_code, "log": str(f.log)} for name, f in failed.items()},
            "retried": self.retried,
            "report": str(self.report) if self.report else None,
        }
