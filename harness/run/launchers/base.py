"""What a launcher is, and what a running job is."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from harness.config.experiment import Experiment
from harness.run.jobs import Job
from harness.run.launchers.process import log_of, request_of


class Running(ABC):
    """A job that is being worked on, wherever that is."""

    def __init__(self, job: Job, attempt: int) -> None:
        self.job, self.attempt = job, attempt
        self.log = log_of(job, attempt)
        self.stop_seconds = 10.0
        """how long it may take to end when it was asked to"""

    @property
    @abstractmethod
    def exit_code(self) -> int | None:
        """None while running; negative: the signal that ended it."""

    def news(self) -> str:
        """What is to be said of it while it runs, each thing once; asked again and again."""
        return ""

    @abstractmethod
    def interrupt(self) -> None:
        """Ask it to stop. Does nothing to one that has ended."""

    def leave(self) -> None:
        """Ask it to save at the end of its step, and to stop then. By a file, which every launcher's jobs see."""
        with suppress(OSError):
            request_of(self.job, self.attempt).write_text("leave\n", encoding="utf-8")

    @abstractmethod
    def kill(self) -> None:
        """End it, and wait for that if it can be waited for."""

    def last_words(self, lines: int = 3) -> list[str]:
        """The end of the log."""
        return [line for line in self._logged() if line.strip()][-lines:]

    def warnings(self) -> list[str]:
        """What the trial warned of, each once."""
        return list(dict.fromkeys(line for line in self._logged() if line.startswith("warning: ")))

    def note(self, text: str) -> None:
        """Add a line to the log of a job that has ended."""
        with suppress(OSError), self.log.open("a", encoding="utf-8") as file:  # a full disk is said elsewhere
            file.write(f"{text.strip()}\n")

    def _logged(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []


class Launcher(ABC):
    """Starts jobs. Which of them, and how many side by side, is the driver's affair."""

    @abstractmethod
    def check(self, experiment: Experiment) -> None:
        """Called before anything is written, if there is work to do.

        Raises: UserError if no job of the experiment could be started.
        """

    @abstractmethod
    def slots(self) -> int:
        """How many jobs there is room for side by side."""

    def nodes(self) -> Sequence[Mapping[str, float]] | None:
        """The resources of each node of the Ray cluster that jobs go to; None: they are processes here."""
        return None

    @abstractmethod
    def start(self, job: Job) -> Running:
        """Raises: UserError if it cannot be started."""


def stop(running: Iterable[Running], *, saving: float = 0.0) -> None:
    """Ask all to stop, and kill what has not after its `stop_seconds`; a second Ctrl-C kills at once.

    Args:
        saving: ask them first to save at the end of their step, and wait so many seconds for that; a further signal
            ends the waiting.
    """
    jobs = list(running)
    if saving:
        with suppress(KeyboardInterrupt):
            deadline = time.monotonic() + saving
            for job in jobs:
                job.leave()
            while any(job.exit_code is None for job in jobs) and time.monotonic() < deadline:
                time.sleep(0.05)
    began = time.monotonic()
    try:
        for job in jobs:
            job.interrupt()
        while any(job.exit_code is None and time.monotonic() - began < job.stop_seconds for job in jobs):
            time.sleep(0.05)
    except KeyboardInterrupt:
        pass
    for job in jobs:
        job.kill()
