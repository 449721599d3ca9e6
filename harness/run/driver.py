"""The driver: locks and plans the run folder, works on what is not complete, and says how it went. Imports no torch:
every job is a process of its own, here or elsewhere, and files are all that passes between them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base import registry
from harness.base.errors import FAILED, INCOMPLETE, INTERRUPTED, OK, USAGE
from harness.base.locks import locked
from harness.config.experiment import Experiment
from harness.models import resolving
from harness.planning import plan
from harness.records import Plan, RunFolder
from harness.run import jobs, matching
from harness.run.display import View
from harness.run.folder import clean, prepare
from harness.run.jobs import Job, State
from harness.run.launchers.base import Launcher, Running, stop
from harness.run.launchers.local import LocalLauncher
from harness.run.progress import Survey
from harness.tracking import Follower

_POLL_SECONDS = 0.05
_MIRROR_SECONDS, _HURRY_SECONDS = 60.0, 5.0
"""what MLflow may take at the end of a run, and of one that was interrupted"""


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
class Outcome:
    """How a run went."""

    run: RunFolder
    jobs: list[Job]
    worked: bool = False
    """whether there was anything to do"""
    interrupted: bool = False
    failures: list[Failure] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
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
        return sum(job.state is State.OPEN for job in self.jobs)

    def to_json(self) -> dict[str, Any]:
        failed = {failure.job.name: failure for failure in self.failures}
        return {
            "run": str(self.run.root),
            "exit_code": self.exit_code,
            "worked": self.worked,
            "jobs": {job.name: "failed" if job.name in failed else str(job.state) for job in self.jobs},
            "failures": {name: {"exit_code": f.exit_code, "log": str(f.log)} for name, f in failed.items()},
            "report": str(self.report) if self.report else None,
        }


@dataclass(frozen=True)
class Wanted:
    """Which part of the experiment, and how."""

    only: Sequence[str] = ()
    """these arms; all if empty"""
    seeds: Sequence[int] = ()
    """these seeds; all if empty"""
    workers: int | None = None
    """jobs side by side; None: as many as there is room for, or one if each takes every device"""
    clean: bool = False
    """delete what the run folder holds, if it is ours"""


@dataclass
class Driver:
    """Brings an experiment's run folder to completion, from wherever it is."""

    experiment: Experiment
    source: str
    """text of the experiment's file, kept beside the results"""
    view: View
    report: Callable[[RunFolder], None]
    """called when the work is done, before the mirror closes"""
    wanted: Wanted = field(default_factory=Wanted)
    launcher: Launcher = field(default_factory=LocalLauncher)
    root: Path = Path("runs")
    """where run folders are"""

    def run(self) -> Outcome:
        """Raises: UserError if the folder is in use, was planned otherwise, or is not ours."""
        experiment, wanted = self.experiment, self.wanted
        folder = RunFolder(self.root / experiment.name)
        outcome = Outcome(folder, jobs.of(folder, experiment, wanted.only, wanted.seeds))
        if wanted.clean or any(job.state is State.OPEN for job in outcome.jobs):
            self.launcher.check(experiment)
            load_problems(experiment)
        made = plan.make(experiment, resolving.resolve(experiment.model))
        with locked(folder.root):
            if wanted.clean:
                clean(folder, experiment.name)
            prepare(folder, experiment, made, self.source)
            waiting = [job for job in outcome.jobs if job.state is State.OPEN]
            if waiting:
                _claim(experiment, made, outcome)
            if waiting or not outcome.report:
                outcome.worked = True
                self._complete(waiting, outcome)
        return outcome

    def _complete(self, waiting: list[Job], outcome: Outcome) -> None:
        # A kill may leave us complete without a report, but never with an old one.
        shutil.rmtree(outcome.run.report, ignore_errors=True)
        follower = Follower(outcome.run.root, warn=self.view.warn)
        try:
            self._work(waiting, outcome)
            if not outcome.interrupted and not any(failure.hits_all for failure in outcome.failures):
                self.report(outcome.run)
        finally:
            crashed = [failure.job.name for failure in outcome.failures]
            follower.close(crashed=crashed, timeout=_HURRY_SECONDS if outcome.interrupted else _MIRROR_SECONDS)

    def _work(self, waiting: list[Job], outcome: Outcome) -> None:
        running: list[Running] = []
        workers = self.wanted.workers or jobs.side_by_side(self.experiment, self.launcher.slots())
        self.view.begin(Survey(outcome.run, _problems(self.experiment)), outcome.jobs)
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    running.append(self.launcher.start(waiting.pop(0)))
                    self.view.started(running[-1].job)
                time.sleep(_POLL_SECONDS)
                for ended in [one for one in running if one.exit_code is not None]:
                    running.remove(ended)
                    failure = _failure(ended)
                    self.view.ended(ended.job, failure, ended.warnings())
                    if failure:
                        outcome.failures.append(failure)
                        if failure.hits_all:
                            waiting.clear()
                self.view.refresh()
        except KeyboardInterrupt:
            outcome.interrupted = True
        finally:
            stop(running)
            self.view.end()


def _claim(experiment: Experiment, made: Plan, outcome: Outcome) -> None:
    for job in outcome.jobs:
        if job.seed is not None:
            matching.claim(outcome.run, matching.header(experiment, made, job.arm, job.seed))
    matching.data(experiment).write(outcome.run.data)


def load_problems(experiment: Experiment) -> None:
    """Raises: ProblemsError now rather than after hours of training if problems that will be asked are not here."""
    for name in _problems(experiment):
        registry.benchmark(name).hash  # noqa: B018  which loads and checks them
    registry.training_set(experiment.train).problems  # noqa: B018


def _problems(experiment: Experiment) -> dict[str, int]:
    """Benchmark -> number of problems, as expected."""
    asked = {**experiment.evaluation.benchmarks, **experiment.evaluation.curve}
    return {name: registry.benchmark(name).first(experiment.evaluation.limit).count for name in asked}


def _failure(ended: Running) -> Failure | None:
    if ended.job.state is not State.OPEN:
        return None
    return Failure(ended.job, ended.exit_code or 0, ended.log, tuple(ended.last_words()))
