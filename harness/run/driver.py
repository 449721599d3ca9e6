"""The driver: locks and plans the run folder, works on what is not complete, and says how it went. Imports no torch:
every job is a process of its own, here or elsewhere, and files are all that passes between them.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.base.errors import OK, UserError
from harness.base.interrupts import Preempted
from harness.base.locks import locked
from harness.config import adapting
from harness.config.experiment import Experiment
from harness.models import resolving
from harness.planning import own_rewards, plan
from harness.records import Plan, RunFolder, chain
from harness.run import jobs, matching
from harness.run.display import RunView
from harness.run.folder import clean, prepare
from harness.run.jobs import Job, JobState
from harness.run.launchers.base import Launcher, Running, stop
from harness.run.launchers.local import LocalLauncher
from harness.run.outcome import Failure, RunOutcome
from harness.run.progress import Survey
from harness.run.retries import LOG_LINES, PAUSES, Retries
from harness.tracking import Follower

_POLL_SECONDS = 0.05
_MIRROR_SECONDS, _HURRY_SECONDS = 60.0, 1.0
"""what MLflow may take at the end of a run, and of one that was interrupted"""

_OTHERS_SECONDS = 900.0
"""what other programs that work on jobs of the same folder may take, one after the other, to look at it, hashes and
all, or to write its report"""
_SAVING = "{}: the jobs that run ({}) save at the end of their step, then end. A further signal ends them now."


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
    job: int | None = None
    """this job alone, counted over all of the experiment, while other programs work on others of the same folder; None:
    all that are selected"""
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
    pauses: Sequence[float] = PAUSES
    """seconds before each new start of a job that was lost"""

    def run(self) -> RunOutcome:
        """Raises: UserError if the folder is in use, was planned otherwise, or is not ours."""
        experiment, wanted = self.experiment, self.wanted
        jobs.check_workers(experiment, wanted.workers)
        folder = RunFolder(self.root / experiment.name)
        workers, outcome = 1, RunOutcome(folder, self._asked_for(folder))
        if wanted.clean or any(job.state is JobState.OPEN for job in outcome.jobs):
            self.launcher.check(experiment)
            load_problems(experiment)
            # asked before anything is written, for a plug-in's answer may be an error
            workers = jobs.workers(experiment, wanted.workers, self.launcher.slots(), self.launcher.nodes())
        model = resolving.resolve(experiment.model)
        adapting.check_fetched(experiment, model)
        made = plan.make(experiment, model)
        # Of a job among others the folder is held for as long as it takes to look at it.
        if wanted.job is not None:
            with locked(folder.root, wait=_OTHERS_SECONDS):
                waiting, _ = self._prepare(outcome, made)
                if waiting:  # one of before, when fewer were complete
                    shutil.rmtree(outcome.run.report, ignore_errors=True)
            self._one_of_many(waiting, outcome)
            return outcome
        with locked(folder.root):
            if wanted.clean:
                clean(folder, experiment.name)
            waiting, unfinished = self._prepare(outcome, made)
            if waiting or unfinished or not outcome.report:
                outcome.worked = True
                self._complete(waiting, outcome, workers)
        return outcome

    def _asked_for(self, folder: RunFolder) -> list[Job]:
        """Raises: UserError if there is none such."""
        experiment, wanted = self.experiment, self.wanted
        if wanted.job is None:
            return jobs.of(folder, experiment, wanted.only, wanted.seeds)
        if wanted.only or wanted.seeds or wanted.clean:
            raise UserError("`--job` is one job of all: it goes with neither `--only` nor `--seed` nor `--clean`.")
        return [jobs.one(folder, experiment, wanted.job)]

    def _prepare(self, outcome: RunOutcome, made: Plan) -> tuple[list[Job], bool]:
        """Plan the folder, which the caller holds, or see that it was planned so, and claim what is to be done.

        Returns: The jobs that are not complete, and whether a finished answer is to be marked again.
        Raises: UserError if it was planned otherwise, or is not ours.
        """
        folder = outcome.run
        prepare(folder, self.experiment, made, self.source)
        unfinished = bool(chain.require(folder.root, self.wanted.accept, going_on=True).unfinished)
        waiting = [job for job in outcome.jobs if job.state is JobState.OPEN]
        if waiting:
            _claim(self.experiment, outcome)
        if waiting or unfinished:
            self._mark_again(folder)
        return waiting, unfinished

    def _one_of_many(self, waiting: list[Job], outcome: RunOutcome) -> None:
        """Work on one job; whoever ends the last of all writes the report."""
        if waiting:
            outcome.worked = True
            self._work(waiting, outcome, 1)
        if outcome.exit_code != OK or any(job.state is JobState.OPEN for job in jobs.of(outcome.run, self.experiment)):
            return
        with locked(outcome.run.root, wait=_OTHERS_SECONDS):
            if not outcome.report:
                outcome.worked = True
                self._complete([], outcome, 1)

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
        (Ctrl-C; jobs save first on SIGUSR1 and SIGTERM) go into `outcome`; a job that failed hinders no other, unless
        all would fail as it did. One that was lost, with its node or for want of memory, is started again after a
        while.

        Raises: UserError if the launcher cannot start a job; those that are running are stopped.
        """
        running: list[Running] = []
        retries, saving = Retries(self.pauses), 0.0
        outcome.retried = retries.made
        self.view.begin(Survey(outcome.run, _problems(self.experiment)), outcome.jobs)
        try:
            while waiting or running or retries:
                waiting[:0] = retries.take_due(time.monotonic())
                # Filled up before the wait, so that no place is idle while a job is left.
                while waiting and len(running) < workers:
                    running.append(self.launcher.start(waiting.pop(0)))
                    self.view.started(running[-1].job)
                time.sleep(_POLL_SECONDS)
                for ended in [one for one in running if one.exit_code is not None]:
                    running.remove(ended)
                    # By its files, not by its exit code: a job is complete if what it had to write is there.
                    failure = _failure(ended)
                    if failure and self._again(ended, failure, retries):
                        continue
                    self.view.ended(ended.job, failure, ended.warnings())
                    if failure:
                        outcome.failures.append(failure)
                        if failure.hits_all:
                            waiting.clear()
                            retries.clear()
                for one in running:
                    if words := one.news():
                        self.view.warn(f"warning: {one.job.name}: {words}")
                self.view.refresh()
        except KeyboardInterrupt as signal:
            outcome.interrupted = True
            if isinstance(signal, Preempted):
                saving = signal.seconds
                if running:
                    self.view.warn(_SAVING.format(_named(saving), len(running)))
        # On every way out, a launcher's error included, no process may go on that nobody waits for.
        finally:
            stop(running, saving=saving)
            self.view.end()

    def _again(self, ended: Running, failure: Failure, retries: Retries) -> bool:
        """Whether it was lost and is started again, which is said here and in its log."""
        retry = retries.again(failure, ended.last_words(LOG_LINES), time.monotonic())
        if retry is None:
            return False
        ended.note(f"rence: {failure.job.name}: {retry}.")
        self.view.lost(failure, retry)
        return True


def _named(seconds: float) -> str:
    """The signal, and how long it lets jobs save."""
    return "SIGUSR1" if math.isinf(seconds) else f"SIGTERM, {seconds:.0f} s at most"


def _claim(experiment: Experiment, outcome: RunOutcome) -> None:
    matching.claim_data(outcome.run, experiment)
    for job in outcome.jobs:
        if job.seed is not None:
            matching.claim(outcome.run, matching.header(experiment, outcome.run, job.arm, job.seed))


def load_problems(experiment: Experiment) -> None:
    """Raises: ProblemsError now rather than after hours of training if problems that will be asked are not here;
    UserError if a reward of the user's own cannot be used."""
    for name in _problems(experiment):
        experiment.evaluation.benchmark(name).hash  # noqa: B018  which loads and checks them
    own_rewards.check(experiment, experiment.training_set.problems[0])


def _problems(experiment: Experiment) -> dict[str, int]:
    """Benchmark -> number of problems, as expected."""
    asked = {**experiment.evaluation.benchmarks, **experiment.evaluation.curve}
    return {name: experiment.evaluation.benchmark(name).count for name in asked}


def _failure(ended: Running) -> Failure | None:
    if ended.job.state is not JobState.OPEN:
        return None
    return Failure(ended.job, ended.exit_code or 0, ended.log, tuple(ended.last_words()))
