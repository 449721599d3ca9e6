"""A job's process: forked from a server that has imported torch once, with a log of its own, tied to its driver.

Importing torch and transformers takes several seconds of processor time, so a server process does it once and every
job is a fork of it, untouched by other jobs. Where forking after such imports is not safe, jobs import for themselves.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.context
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from multiprocessing.process import BaseProcess
from pathlib import Path

from harness.errors import INTERRUPTED
from harness.jobs import Job

LOG = "output.log"
_ENVIRONMENT = {
    # one thread each: trials run side by side, and results are promised for one thread
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
}


class Running:
    """A job that is being worked on."""

    def __init__(self, job: Job) -> None:
        self.job = job
        attempt = job.next_attempt()
        self.log = job.folder / "logs" / f"attempt_{attempt}" / LOG
        self.log.parent.mkdir(parents=True)
        os.environ.update(_ENVIRONMENT)
        self._process: BaseProcess = _context().Process(  # type: ignore[attr-defined]
            target=_work, args=(job, attempt, self.log), name=job.name
        )
        self._process.start()

    @property
    def exit_code(self) -> int | None:
        """None while running; negative: the signal that ended it."""
        return self._process.exitcode

    def interrupt(self) -> None:
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.join()

    def last_words(self, lines: int = 3) -> list[str]:
        """The end of the log."""
        return [line for line in _read(self.log).splitlines() if line.strip()][-lines:]

    def warnings(self) -> list[str]:
        """What the trial warned of, each once."""
        return list(dict.fromkeys(line for line in _read(self.log).splitlines() if line.startswith("warning: ")))

    def _signal(self, number: int) -> None:
        if self.exit_code is None and self._process.pid:
            os.kill(self._process.pid, number)


def stop(running: Iterable[Running], seconds: float = 10.0) -> None:
    """Ask all to stop, and kill what has not after a while; a second Ctrl-C kills at once."""
    processes = list(running)
    try:
        for process in processes:
            process.interrupt()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(process.exit_code is None for process in processes):
            time.sleep(0.05)
    except KeyboardInterrupt:
        pass
    for process in processes:
        process.kill()


def _context() -> multiprocessing.context.BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.trial"])
    return context


def _work(job: Job, attempt: int, log: Path) -> None:
    """In the job's process."""
    # A terminal's Ctrl-C goes to the driver alone, which passes it on.
    os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    threading.Thread(target=_end_with_the_driver, name="driver-watch", daemon=True).start()

    from harness import trial

    sys.exit(trial.main(job, attempt))


def _end_with_the_driver() -> None:
    """A driver that was killed cannot stop us: we stop at once, wherever we are. That loses nothing but time."""
    driver = multiprocessing.parent_process()
    if driver:
        driver.join()
        os._exit(INTERRUPTED)


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
