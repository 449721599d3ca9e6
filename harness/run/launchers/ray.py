"""Jobs of a running Ray cluster: Ray places them on its nodes, one processor each, runs them and remembers them.

A job belongs to Ray, not to its driver: when the driver is killed, or its terminal is gone, the job goes on. The next
driver of the same run folder finds it there and waits for it instead of starting it a second time.
"""

from __future__ import annotations

import math
import os
import secrets
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.backends.registry import get_backend
from harness.base.errors import FAILED, INTERRUPTED, OK, UserError, need
from harness.config.experiment import Experiment
from harness.run.jobs import Job, JobState
from harness.run.launchers import on_node
from harness.run.launchers.base import Launcher, Running
from harness.run.launchers.process import environment

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

Answer = TypeVar("Answer")

_LOOK_SECONDS = 1.0
"""between two questions to Ray about a job"""
_TIMEOUT_SECONDS = 60.0
"""with a Ray that does not answer, and with storage that shows another node's files late: NFS may take so long"""
_JOB, _ATTEMPT = "rence_job", "rence_attempt"
"""what Ray remembers of a job: its folder, which names it among all, and the number of its attempt"""
_PASSED_ON = ("HF_HOME", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")
"""settings of the driver that its jobs get too, beside every RENCE_..."""
_NOT_YET = "try again later"
"""Ray's own words, in a RuntimeError, where the process of the head node that starts jobs is not up yet"""
_RAYS_OWN = ("Runtime env is setting up", "Running entrypoint for job")
"""what Ray puts into every job's log"""
_GUIDE = "docs/how-to/cluster.md says more."


class RayLauncher(Launcher):
    """The cluster that RAY_ADDRESS names, or the one on this machine."""

    _gpus_of_start = _gpus_of_trial = 0

    def check(self, experiment: Experiment) -> None:
        need("--launcher ray", "ray", extra="ray")
        _ = self._client
        backend = get_backend(experiment.backend)
        backend.check_machine(experiment, self.nodes())
        self._gpus_of_start = backend.gpus_of_start(experiment)
        self._gpus_of_trial = backend.gpus_of_trial(experiment)

    def slots(self) -> int:
        """One a processor of the cluster: a job that waits 15 minutes for its place is given up by Ray."""
        return max(1, sum(int(node.get("CPU", 0)) for node in self.nodes()))

    def start(self, job: Job) -> Running:
        try:
            return self._left_behind(job) or self._submit(job)
        except (OSError, RuntimeError) as error:
            raise UserError(f"Ray does not take {job.name}: {_short(error)}", FAILED) from None

    def nodes(self) -> list[Mapping[str, float]]:
        from ray.util.state import list_nodes

        # Not by Ray's own filter: it takes a dead node that it leaves out for an answer that was cut short, and raises.
        nodes: list[Any] = _patiently(list_nodes)
        return [node.resources_total for node in nodes if node.state == "ALIVE"]

    def _left_behind(self, job: Job) -> RayJob | None:
        """What a driver that was killed has left running."""
        for known in _patiently(self._client.list_jobs):
            about = known.metadata or {}
            if about.get(_JOB) == _identity(job) and not known.status.is_terminal() and known.submission_id:
                return RayJob(job, int(about[_ATTEMPT]), self._client, known.submission_id)
        return None

    def _submit(self, job: Job) -> RayJob:
        """Hand the job to Ray as its next attempt, with one processor. Returns it as running, though it may wait for
        its place.

        Raises: OSError or RuntimeError if Ray does not take it.
        """
        attempt = job.next_attempt()
        # A run that was cleaned counts its attempts from 1 again, but Ray takes a name only once.
        name = f"{job.run.root.name}.{job.name.replace('/', '.')}.attempt_{attempt}.{secrets.token_hex(3)}"
        running = RayJob(job, attempt, self._client, name, time.time())
        running.log.parent.mkdir(parents=True)
        submit = partial(
            self._client.submit_job,
            entrypoint=_command(job, attempt),
            submission_id=name,
            entrypoint_num_cpus=1,
            entrypoint_num_gpus=(self._gpus_of_start if job.seed is None else self._gpus_of_trial) or None,
            metadata={_JOB: _identity(job), _ATTEMPT: str(attempt)},
        )
        try:
            _patiently(submit)
        except RuntimeError as error:
            # A first try whose answer was lost has arrived.
            if "already exists" not in str(error):
                raise
        return running

    @cached_property
    def _client(self) -> JobSubmissionClient:
        from ray.exceptions import AuthenticationError, RayError
        from ray.job_submission import JobSubmissionClient

        try:
            return JobSubmissionClient()
        except AuthenticationError:
            raise UserError(
                "the Ray cluster wants its token: export RAY_AUTH_MODE=token, and give the token in RAY_AUTH_TOKEN or "
                f"~/.ray/auth_token. `ray get-auth-token` prints it where the cluster was started. {_GUIDE}"
            ) from None
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise UserError(
                f"no Ray cluster to run jobs on: {_short(error)}\nStart one with `ray start --head`, or point to one "
                f"with RAY_ADDRESS=http://HEAD:8265, the address of its dashboard. {_GUIDE}"
            ) from None


class RayJob(Running):
    """A job as Ray knows it."""

    def __init__(self, job: Job, attempt: int, client: JobSubmissionClient, name: str, submitted: float = 0.0) -> None:
        """
        Args:
            submitted: by this machine's clock; 0 where another driver has done it.
        """
        super().__init__(job, attempt)
        self._client, self._name = client, name
        self._code: int | None = None
        self._next_look = 0.0
        self._answered = time.monotonic()
        self._succeeded = 0.0
        self._submitted, self._next_news = submitted, 0.0

    @property
    def exit_code(self) -> int | None:
        now = time.monotonic()
        if self._code is None and now >= self._next_look:
            self._next_look = now + _LOOK_SECONDS
            self._code = self._look(now)
        return self._code

    def news(self) -> str:
        now = time.monotonic()
        if now < self._next_news:
            return ""
        words = on_node.clock_words(self.log, self._submitted, time.time())
        self._next_news = now + _LOOK_SECONDS if words is None else math.inf
        return words or ""

    def interrupt(self) -> None:
        """Ray sends SIGTERM, and SIGKILL three seconds later."""
        if self._code is None:
            # A job of a cluster that does not answer ends with it, or the next driver finds it.
            with suppress(OSError, RuntimeError):
                self._client.stop_job(self._name)

    def leave(self) -> None:
        """One that still waits for its place has nothing to save, and would not read the request."""
        super().leave()
        with suppress(OSError, RuntimeError):
            if self._client.get_job_status(self._name) == "PENDING":
                self.interrupt()

    def kill(self) -> None:
        if self.exit_code is None:
            self.interrupt()

    def _look(self, now: float) -> int | None:
        try:
            seen = self._client.get_job_info(self._name)
        except (OSError, RuntimeError) as error:
            if now - self._answered < _TIMEOUT_SECONDS:
                return None
            self.note(f"Ray does not answer for its job {self._name}, which may still run: {_short(error)}")
            return FAILED
        self._answered = now
        if not seen.status.is_terminal():
            return None
        if seen.status == "SUCCEEDED":
            self._succeeded = self._succeeded or now
            late = self.job.state is JobState.OPEN and now - self._succeeded < _TIMEOUT_SECONDS
            return None if late else OK
        return self._end_of(seen)

    def _end_of(self, seen: JobDetails) -> int:
        # A process that has ended by itself has said why in its log, unless it never came so far as to open one. Of
        # one that was stopped, or went down with its node, only Ray knows why.
        if seen.driver_exit_code is None or not any(self._logged()):
            lines = (seen.message or "").splitlines()
            self.note("\n".join(line for line in lines if not any(words in line for words in _RAYS_OWN)))
        return INTERRUPTED if seen.status == "STOPPED" else seen.driver_exit_code or FAILED


def _identity(job: Job) -> str:
    return str(job.folder.resolve())


def _command(job: Job, attempt: int) -> str:
    """The environment is part of it: one given to Ray would reach, and bind, everything the trial starts on Ray."""
    passed = {key: value for key, value in os.environ.items() if key in _PASSED_ON or key.startswith("RENCE_")}
    settings = (f"{key}={value}" for key, value in {**passed, **environment()}.items())
    program = (sys.executable, "-m", "rence.job")
    return shlex.join(["exec", "env", *settings, *program, str(Path.cwd()), str(job.run.root), job.name, str(attempt)])


def _patiently(ask: Callable[[], Answer]) -> Answer:
    """The answer of a Ray that may be too busy for a while to take a connection or a job."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        try:
            return ask()
        except (OSError, RuntimeError) as error:
            passing = isinstance(error, OSError) or _NOT_YET in str(error)
            if not passing or time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK_SECONDS)


def _short(error: Exception) -> str:
    """Its first line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
