"""The driver: locks and plans the run folder, works on what is not complete, and says how it went. Imports no torch:
every job is a process of its own, here or elsewhere, and files are all that passes between them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.base.locks import locked
from harness.config.experiment import Experiment
from harness.models import resolving
from harness.planning import plan
from harness.records import RunFolder, chain
from harness.run import jobs, matching
from harness.run.display import RunView
from harness.run.folder import clean, prepare
from harness.run.jobs import Job, JobState
from harness.run.launchers.base import Launcher, Running, stop
from harness.run.launchers.local import LocalLauncher
from harness.run.outcome import Failure, RunOutcome
from harness.run.progress import Survey
from harness.tracking import Follower

_POLL_SECONDS = 0.05
_MIRROR_SECONDS, _HURRY_SECONDS = 60.0, 1.0
"""what MLflow may take at the end of a run, and of one that was interrupted"""


@dataclass(frozen=True)
class RunSelection:
    """Which part of the experiment, and how."""

    only: Sequence[str] = ()
    """these arms; all if empty"""
    seeds: Sequence[int] = ()
    """these seeds; all if empty"""
    workers: int | None = None
    """jobs side by side; None: as many as there is room for"""
    clean: bool = False
    """delete what the run folder holds, if it is ours"""
    accept: str | None = None
    """the reason to go on where the folder is not what was planned, trained and answered; None: that is refused"""


@dataclass
class Driver:
    """Brings an experiment's run folder to completion, from wherever it is."""

    experiment: Experiment
    source: str
    """text of the experiment's file, kept beside the results"""
    view: RunView
    report: Callable[[RunFolder], None]
    """called when the work is done, before the mirror closes"""
    wanted: RunSelection = field(default_factory=RunSelection)
    launcher: Launcher = field(default_factory=LocalLauncher)
    root: Path = Path("runs")
    """where run folders are"""

    def run(self) -> RunOutcome:
        """Raises: UserError if the folder is in use, was planned otherwise, or is not ours."""
        experiment, wanted = self.experiment, self.wanted
        jobs.check_workers(experiment, wanted.workers)
        folder = RunFolder(self.root / experiment.name)
        workers, outcome = 1, RunOutcome(folder, jobs.of(folder, experiment, wanted.only, wanted.seeds))
        if wanted.clean or any(job.state is JobState.OPEN for job in outcome.jobs):
            self.launcher.check(experiment)
            load_problems(experiment)
            # asked before anything is written, for a plug-in's answer may be an error
            workers = jobs.workers(experiment, wanted.workers, self.launcher.slots(), self.launcher.nodes())
        made = plan.make(experiment, resolving.resolve(experiment.model))
        with locked(folder.root):
            if wanted.clean:
                clean(folder, experiment.name)
            prepare(folder, experiment, made, self.source)
            unfinished = chain.require(folder.root, wanted.accept, going_on=True).unfinished
            waiting = [job for job in outcome.jobs if job.state is JobState.OPEN]
            if waiting:
                _claim(experiment, outcome)
            if waiting or unfinished:
                self._mark_again(folder)
            if waiting or unfinished or not outcome.report:
                outcome.worked = True
                self._complete(waiting, outcome, workers)
        return outcome

    def _mark_again(self, folder: RunFolder) -> None:
        from harness.evaluation.remarking import mark_again

        answers = mark_again(folder.all_evals(), self.experiment.evaluation)
        if answers:
            why = "by another version of the marker, or not by every reading"
            self.view.warn(f"{answers:,} answers were marked {why}: marked again.")

    def _complete(self, waiting: list[Job], outcome: RunOutcome, workers: int) -> None:
        # A kill may leave us complete without a report, but never with an old one.
        shutil.rmtree(outcome.run.report, ignore_errors=True)
        follower = Follower(outcome.run.root, warn=self.view.warn)
        try:
            self._work(waiting, outcome, workers)
            if not outcome.interrupted and not any(failure.hits_all for failure in outcome.failures):
                self.report(outcome.run)
        finally:
            crashed = [failure.job.name for failure in outcome.failures]
            follower.close(crashed=crashed, timeout=_HURRY_SECONDS if outcome.interrupted else _MIRROR_SECONDS)

    def _work(self, waiting: list[Job], outcome: RunOutcome, workers: int) -> None:
        """Run the jobs of `waiting`, `workers` side by side, until all have ended. Failures and an interruption
        (Ctrl-C) go into `outcome`; a job that failed hinders no other, unless all would fail as it did.

        Raises: UserError if the launcher cannot start a job; those that are running are stopped.
        """
        running: list[Running] = []
        self.view.begin(Survey(outcome.run, _problems(self.experiment)), outcome.jobs)
        try:
            while waiting or running:
                # Filled up before the wait, so that no place is idle while a job is left.
                while waiting and len(running) < workers:
                    running.append(self.launcher.start(waiting.pop(0)))
                    self.view.started(running[-1].job)
                time.sleep(_POLL_SECONDS)
                for ended in [one for one in running if one.exit_code is not None]:
                    running.remove(ended)
                    # By its files, not by its exit code: a job is complete if what it had to write is there.
                    failure = _failure(ended)
                    self.view.ended(ended.job, failure, ended.warnings())
                    if failure:
                        outcome.failures.append(failure)
                        if failure.hits_all:
                            waiting.clear()
                self.view.refresh()
        except KeyboardInterrupt:
            outcome.interrupted = True
        # On every way out, a launcher's error included, no process may go on that nobody waits for.
        finally:
            stop(running)
            self.view.end()


def _claim(experiment: Experiment, outcome: RunOutcome) -> None:
    matching.claim_data(outcome.run, experiment)
    for job in outcome.jobs:
        if job.seed is not None:
            matching.claim(outcome.run, matching.header(experiment, outcome.run, job.arm, job.seed))


def load_problems(experiment: Experiment) -> None:
    """Raises: ProblemsError now rather than after hours of training if problems that will be asked are not here."""
    for name in _problems(experiment):
        experiment.evaluation.benchmark(name).hash  # noqa: B018  which loads and checks them
    experiment.training_set.problems  # noqa: B018


def _problems(experiment: Experiment) -> dict[str, int]:
    """Benchmark -> number of problems, as expected."""
    asked = {**experiment.evaluation.benchmarks, **experiment.evaluation.curve}
    return {name: experiment.evaluation.benchmark(name).count for name in asked}


def _failure(ended: Running) -> Failure | None:
    if ended.job.state is not JobState.OPEN:
        return None
    return Failure(ended.job, ended.exit_code or 0, ended.log, tuple(ended.last_words()))
