"""A run as people see it while it goes on: bars on a terminal, a line now and then elsewhere, nothing if so wished."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from harness.base.pace import Pace, clock, left_in_words
from harness.run.jobs import Job
from harness.run.progress import MACHINE, RunProgress, Survey
from harness.run.pulse import Pulse

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from harness.run.outcome import Failure
    from harness.run.retries import Retry

_LIVE_SECONDS, _PLAIN_SECONDS = 0.5, 30.0
_PULSE_SECONDS = 2.0
"""between two looks at the pulses of running jobs"""


class RunView:
    """The base: says when a job starts, ends, or fails; subclasses show what lies between."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, survey: Survey, jobs: Sequence[Job]) -> None:
        """Called once, before the first job starts.

        Args:
            survey: reads from files how far the jobs are.
            jobs: all that were asked for, complete ones too, so that shares are of the whole.
        """
        self._survey, self._jobs = survey, jobs
        self._running: dict[str, Job] = {}
        self._pulses: dict[str, Pulse] = {}
        self._felt = time.monotonic()
        self._began, self._shown = time.monotonic(), 0.0
        self._pace = Pace(self._work()[0])

    def started(self, job: Job) -> None:
        """A job has been handed to the launcher."""
        self._running[job.name] = job
        self._pulses[job.name] = Pulse(job.folder, time.monotonic())

    def ended(self, job: Job, failure: Failure | None, warnings: Sequence[str]) -> None:
        """A job has ended, complete or not.

        Args:
            failure: None if it is complete.
            warnings: what it warned of, for people.
        """
        self._leave(job)
        for warning in warnings:
            self._say(f"{job.name}: {warning}")
        if failure:
            how = f" (exit code {failure.exit_code}): {failure.log}"
            self._say(Text.assemble((f"{job.name} failed", "bold red"), how))
        else:
            self._say(f"{job.name} {job.state}")

    def lost(self, failure: Failure, retry: Retry) -> None:
        """A job was lost, and will be started again."""
        self._leave(failure.job)
        self._say(Text.assemble((f"{failure.job.name} was lost", "bold yellow"), f": {retry}: {failure.log}"))

    def _leave(self, job: Job) -> None:
        """It runs no longer."""
        del self._running[job.name], self._pulses[job.name]

    def warn(self, message: str) -> None:
        """May be called from another thread."""
        self._say(message)

    def refresh(self) -> None:
        """Called often; shows at most once in `every` seconds, for it reads the files of all jobs."""
        now = time.monotonic()
        if now - self._felt >= _PULSE_SECONDS:
            self._felt = now
            for name, pulse in self._pulses.items():
                if words := pulse.warning(now):
                    self._say(f"warning: {name} {words}")
        if now - self._shown >= self.every:
            self._shown = now
            self.show()

    def end(self) -> None:
        pass

    every = _PLAIN_SECONDS
    """seconds between two looks at the files"""

    def show(self) -> None:
        """How far the run is, now. Work is counted in attempts' worth: see `RunProgress.work`."""
        done, total = self._work()
        self._say(f"{self._time()}  {100 * done / total:.0f} % of the work, {self._left(done, total)}: {self._now()}")

    def _now(self) -> str:
        return ", ".join(f"{name} {_words(self._progress(job))}" for name, job in self._running.items())

    def _say(self, text: str | Text) -> None:
        self._console.print(text, markup=False)

    def _progress(self, job: Job) -> RunProgress:
        return self._survey.start() if job.seed is None else self._survey.trial(job.arm, job.seed)

    def _work(self) -> tuple[float, float]:
        found = [self._progress(job) for job in self._jobs]
        return sum(p.work for p in found), sum(p.work_total for p in found)

    def _left(self, done: float, total: float) -> str:
        return left_in_words(self._pace.left(done, total, time.monotonic()))

    def _time(self) -> str:
        return clock(time.monotonic() - self._began)


class LiveRunView(RunView):
    """A bar for each running job, and one for all."""

    every = _LIVE_SECONDS

    def begin(self, survey: Survey, jobs: Sequence[Job]) -> None:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as Bars

        super().begin(survey, jobs)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}", markup=False),
        )
        # Drawn by `show` alone: rich's own thread would draw again what has not been read again.
        self._bars = Bars(*columns, console=self._console, auto_refresh=False, transient=True)
        self._all = self._bars.add_task("all", total=1.0, words="")
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()

    def started(self, job: Job) -> None:
        super().started(job)
        self._tasks[job.name] = self._bars.add_task(job.name, total=1.0, words="")

    def _leave(self, job: Job) -> None:
        self._bars.remove_task(self._tasks.pop(job.name))
        super()._leave(job)

    def show(self) -> None:
        for name, job in self._running.items():
            progress = self._progress(job)
            fraction = progress.work / progress.work_total
            self._bars.update(self._tasks[name], completed=fraction, words=_words(progress))
        done, total = self._work()
        self._bars.update(self._all, completed=done / total, words=f"{self._time()}, {self._left(done, total)}")
        self._bars.refresh()

    def end(self) -> None:
        self._bars.stop()


class QuietView(RunView):
    """Shows nothing while it goes on; failures are said at the end."""

    def started(self, job: Job) -> None:
        pass

    def ended(self, job: Job, failure: Failure | None, warnings: Sequence[str]) -> None:
        pass

    def lost(self, failure: Failure, retry: Retry) -> None:
        pass

    def refresh(self) -> None:
        pass


def view_for(console: Console) -> RunView:
    """Bars on a terminal, lines elsewhere, nothing where the console is quiet."""
    if console.quiet:
        return QuietView(console)
    return LiveRunView(console) if console.is_terminal else RunView(console)


def _words(progress: RunProgress) -> str:
    trained = f"{progress.rollouts:,} of {progress.rollouts_total:,} rollouts" if progress.rollouts_total else ""
    asked = f"asking {progress.evaluating}" if progress.evaluating else ""
    machine = (MACHINE[name].format(value) for name, value in progress.machine)
    return ", ".join(part for part in (trained, asked, *machine) if part) or "starting"
