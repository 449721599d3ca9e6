"""Processes on this machine: forked from a server that has imported torch once, and tied to their driver.

Importing torch and transformers takes several seconds of processor time, so a server process does it once and every
job is a fork of it, untouched by other jobs. Where forking after such imports is not safe, jobs import for themselves.
"""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.context
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess

from harness.backends.base import Backend
from harness.backends.registry import get_backend
from harness.base.errors import INTERRUPTED, need
from harness.base.interrupts import deaf
from harness.config.experiment import Experiment
from harness.run.jobs import Job
from harness.run.launchers.base import Launcher, Running
from harness.run.launchers.process import environment, work

_NEEDED = ("torch", "transformers", "math_verify")


class LocalLauncher(Launcher):
    """A process for each job."""

    def __init__(self) -> None:
        self._stop_seconds = Backend.stop_seconds
        self._slots: Sequence[Mapping[str, str]] = ()
        self._taken: dict[int, LocalProcess] = {}
        """slot -> the last job in it"""

    def check(self, experiment: Experiment) -> None:
        need("training", *_NEEDED)
        backend = get_backend(experiment.backend)
        backend.check_machine(experiment)
        self._stop_seconds = backend.stop_seconds
        self._slots = backend.slot_environments(experiment)

    def slots(self) -> int:
        """One a core that this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def start(self, job: Job) -> Running:
        # The driver has no more jobs at work than there are slots, unless the backend has none of its own.
        free = [at for at in range(len(self._slots)) if at not in self._taken or self._taken[at].exit_code is not None]
        started = LocalProcess(job, job.next_attempt(), self._slots[free[0]] if free else {})
        self._taken.update(dict.fromkeys(free[:1], started))
        started.stop_seconds = self._stop_seconds
        return started


class LocalProcess(Running):
    """A job in a process of its own."""

    def __init__(self, job: Job, attempt: int, slot: Mapping[str, str]) -> None:
        """
        Args:
            slot: environment variables of its own.
        """
        super().__init__(job, attempt)
        self.log.parent.mkdir(parents=True)
        os.environ.update(environment())
        self._process: BaseProcess = _context().Process(  # type: ignore[attr-defined]
            target=_work, args=(job, attempt, slot), name=job.name
        )
        self._process.start()

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def interrupt(self) -> None:
        # Not SIGINT: what a script starts in the background ignores it, and so does all that it starts.
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.join()

    def _signal(self, number: int) -> None:
        if self.exit_code is None and self._process.pid:
            os.kill(self._process.pid, number)


@cache
def _context() -> multiprocessing.context.BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.base.lean_transformers", "harness.run.trial"])
    with deaf():  # what is sent to our whole group must not end the server: jobs could not be waited for
        forkserver.ensure_running()
    atexit.register(_end_the_server)
    return context


def _end_the_server() -> None:
    """It would end by itself, but take torch down in seconds, through which whoever reads our output waits for it. We
    wait for it, so that the system counts its processor seconds, which are those of all jobs too, as ours."""
    pid: int | None = getattr(forkserver._forkserver, "_forkserver_pid", None)  # type: ignore[attr-defined]
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _work(job: Job, attempt: int, slot: Mapping[str, str]) -> None:
    """In the job's process."""
    os.environ.update(slot)
    # A terminal's Ctrl-C goes to the driver alone, which passes it on.
    os.setsid()
    threading.Thread(target=_end_with_the_driver, name="driver-watch", daemon=True).start()
    sys.exit(work(job, attempt))


def _end_with_the_driver() -> None:
    """A driver that was killed cannot stop us: we stop at once, wherever we are. That loses nothing but time."""
    driver = multiprocessing.parent_process()
    if driver:
        driver.join()
        os._exit(INTERRUPTED)
