"""Trials that were lost: not by their own mistake, but because memory ran out, or a process or its node died.

A job that was lost is started again after a while and goes on from its newest checkpoint; others go on meanwhile. What
an error says of itself decides, for that is all that every launcher and every backend leaves behind: the exit code, and
the end of the log.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from harness.base.errors import INCOMPLETE, INTERRUPTED, OK, USAGE
from harness.run.jobs import Job
from harness.run.outcome import Failure

PAUSES = (5.0, 20.0, 60.0)
"""seconds before each new start of a job in one run; there are no more starts than that"""
LOG_LINES = 200
"""of the log's end that are read: the traceback of a worker on another node is long"""

_KILLED = {
    number: words
    for signal_, words in (
        (signal.SIGKILL, "it was killed (SIGKILL), as a system does that runs out of memory"),
        (signal.SIGBUS, "it was killed (SIGBUS), as when shared memory runs out"),
    )
    for number in (-signal_, 128 + signal_)  # of the process itself, and as a shell passes it on
}
_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|\bMemoryError\b|OUT_OF_MEMORY|ALLOC_FAILED|bad_alloc|cannot allocate memory"
    r"|can't allocate memory|killed due to memory pressure|running low on memory|low memory"
    r"|available memory for the cache blocks|less than desired GPU memory utilization",
    re.IGNORECASE,
)
_NODE = re.compile(
    r"node has died|NodeDied|node\b.{0,80}\b(?:is|was) (?:dead|marked dead|preempted|terminated)|raylet.{0,40}died"
    r"|LocalRayletDied|marked dead because the detector has missed too many heartbeats",
    re.IGNORECASE,
)
_PROCESS = re.compile(
    r"died unexpectedly|ActorDiedError|ActorUnavailable|WorkerCrashed|supervisor actor died|OwnerDied|EngineDead"
    r"|ncclRemoteError|SIGKILL|killed by signal 9|BrokenProcessPool",
    re.IGNORECASE,
)
_NO_PLACE = re.compile(r"supervisor actor failed to start within")
"""Ray's words for a job that has waited 15 minutes for its processor or its GPUs"""
_SILENT = re.compile(r"no answer came for|no rollout came for|one may have died", re.IGNORECASE)
"""backend verl's words for a sampler that is dead or hangs"""
_REFUSED = re.compile(r"^node \S+ (?:does not see \S+|has \S+ MB left of .{1,200}?scratch disk)", re.MULTILINE)
"""the words of `launchers/on_node.py`"""
_ASKED = re.compile(r"^engine `[^`]+` failed while it was asked: (.+)$", re.MULTILINE)
"""an evaluation's words for an engine that broke down (`engines/base.py`), which is exit code 3"""
_ITS_OWN = re.compile(r"error raised in its creation task", re.IGNORECASE)
"""Ray's words for an actor that died of an exception, which a new start would meet again"""


def lost_by(exit_code: int, log: Sequence[str]) -> str:
    """What took the job away, in words, as the end of a sentence; empty if it failed by itself.

    Args:
        log: its last lines.
    """
    if exit_code in _KILLED:
        return _KILLED[exit_code]
    text = "\n".join(log)
    if exit_code == INCOMPLETE:  # of an engine the reason alone counts: what else leaves it would come again
        text = "\n".join(_ASKED.findall(text))
    if exit_code in (OK, USAGE, INTERRUPTED):
        return ""
    if refused := _REFUSED.search(text):
        return f"its node cannot do it: {refused[0].rstrip('.')}"
    if _MEMORY.search(text):
        return "memory ran out"
    if _NO_PLACE.search(text):
        return "Ray found no place for it in time"
    if _NODE.search(text):
        return "its node was lost"
    if _PROCESS.search(text) and not _ITS_OWN.search(text):
        return "a process of it died"
    return "a sampler of it fell silent" if _SILENT.search(text) else ""


@dataclass(frozen=True)
class Retry:
    """A new start that is to come."""

    job: Job
    reason: str
    """as `lost_by` says it"""
    pause: float
    """seconds until then"""
    number: int
    """1 for the first"""
    most: int

    def __str__(self) -> str:
        return (
            f"{self.reason}. It is started again in {self.pause:g} s and goes on from what is saved ({self.number} of "
            f"at most {self.most} times)"
        )


class Retries:
    """Of one run."""

    def __init__(self, pauses: Sequence[float] = PAUSES) -> None:
        self._pauses = pauses
        self._made: dict[str, list[str]] = {}
        self._due: list[tuple[float, Job]] = []

    def __bool__(self) -> bool:
        """Whether a job waits for its new start."""
        return bool(self._due)

    @property
    def made(self) -> dict[str, list[str]]:
        """Name of a job -> why it was started again, each time."""
        return self._made

    def again(self, failure: Failure, log: Sequence[str], now: float) -> Retry | None:
        """What becomes of a job that failed; None if it is not started again.

        Args:
            log: its last lines, `LOG_LINES` at most.
            now: seconds, on a clock that all calls share.
        """
        reason = lost_by(failure.exit_code, log)
        # A dead process holds its locks and devices for a while, and a cluster that lost a node is smaller until the
        # node is back. A refusal then is of what was lost, and no mistake of the user's: the same has started before.
        if not reason and failure.exit_code == USAGE and self._made:
            reason = f"it was refused after a loss: {failure.last_words[-1] if failure.last_words else 'no word why'}"
        made = self._made.get(failure.job.name, [])
        if not reason or len(made) >= len(self._pauses):
            return None
        made = self._made[failure.job.name] = [*made, reason]
        retry = Retry(failure.job, reason, self._pauses[len(made) - 1], len(made), len(self._pauses))
        self._due.append((now + retry.pause, failure.job))
        return retry

    def take_due(self, now: float) -> list[Job]:
        """Those whose time has come, which are no longer waited for."""
        due = [job for when, job in self._due if when <= now]
        self._due = [(when, job) for when, job in self._due if when > now]
        return due

    def clear(self) -> None:
        """No job is started again."""
        self._due = []
