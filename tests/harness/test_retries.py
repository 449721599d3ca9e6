"""A job that is lost is started again; one that fails by itself is not. Real processes, started by a small launcher."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from harness import config
from harness.base.errors import FAILED, INCOMPLETE, INTERRUPTED, OK, USAGE, UserError
from harness.config.experiment import Experiment
from harness.engines.base import EngineFailed
from harness.records import DoneRecord
from harness.run.display import RunView
from harness.run.driver import Driver
from harness.run.jobs import Job
from harness.run.launchers.base import Launcher, Running
from harness.run.outcome import RunOutcome
from harness.run.retries import PAUSES, lost_by
from rence.cli import main

RAY_NODE = (
    "Job supervisor actor died: The actor died unexpectedly before finishing this task.\n"
    "The actor is dead because its node has died. Node Id: 5a6f"
)
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.1 GiB"
LOST = [
    (-9, "", "it was killed (SIGKILL)"),
    (137, "Killed", "it was killed (SIGKILL)"),
    (-7, "", "it was killed (SIGBUS)"),
    (FAILED, OOM, "memory ran out"),
    (FAILED, "RuntimeError: CUDA error: out of memory", "memory ran out"),
    (FAILED, "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "memory"),
    (FAILED, "MemoryError", "memory ran out"),
    (FAILED, "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 2 GiB\nMemoryError: x", "memory"),
    (FAILED, "OSError: [Errno 12] Cannot allocate memory", "memory ran out"),
    (FAILED, "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried", "memory"),
    (-6, "terminate called after throwing an instance of 'std::bad_alloc'", "memory ran out"),
    (FAILED, "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.", "memory"),
    (FAILED, "(raylet) 1 Workers (tasks / actors) killed due to memory pressure (OOM)", "memory ran out"),
    (FAILED, RAY_NODE, "its node was lost"),
    (FAILED, "ray.exceptions.NodeDiedError: The node of the task died", "its node was lost"),
    (FAILED, "The node with node id: 5a6f and address: 10.0.0.2 has been marked dead because the detector has missed "
     "too many heartbeats from it.", "its node was lost"),
    (FAILED, "ray.exceptions.LocalRayletDiedError: The task's local raylet died.", "its node was lost"),
    (FAILED, "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.\nThe worker died: "
     "Worker exit type: SYSTEM_ERROR", "a process of it died"),
    (FAILED, "ray.exceptions.WorkerCrashedError: The worker died unexpectedly while executing this task.", "a process"),
    (FAILED, "grpo/seed0: no rollout came for 300 s; 2 of 8 groups are there.", "a sampler of it fell silent"),
    (FAILED, "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.", "a process of it died"),
]  # fmt: skip
LOST += [
    (FAILED, "Job supervisor actor failed to start within 900.0 seconds. This timeout can be configured", "Ray found"),
    (INCOMPLETE, str(EngineFailed("vllm", "OutOfMemoryError: CUDA out of memory. Tried")), "memory ran out"),
    (INCOMPLETE, str(EngineFailed("vllm", "BrokenProcessPool: A process in the process pool was terminated abruptly")),
     "a process of it died"),
]  # fmt: skip
NOT_LOST = [
    (INCOMPLETE, str(EngineFailed("vllm", "ValueError: no such attention")) + "\nMemoryError"),
    (FAILED, "ValueError: the reward must be finite"),
    (FAILED, ""),
    (OK, OOM),
    (USAGE, "`verl.sampler_memory` is too small: CUDA out of memory would follow"),
    (INCOMPLETE, "no space left to write runs/x. MemoryError"),
    (INTERRUPTED, "KeyboardInterrupt: SIGKILL"),
    (-11, "Segmentation fault"),
    (FAILED, "The actor died because of an error raised in its creation task, ray::PolicyWorker.__init__()\n"
     "ActorDiedError\nValueError: no such attention"),
]  # fmt: skip


@pytest.mark.parametrize("exit_code, text, said", LOST)
def test_what_takes_a_job_away(exit_code: int, text: str, said: str) -> None:
    assert lost_by(exit_code, text.splitlines()).startswith(said)


@pytest.mark.parametrize("exit_code, text", NOT_LOST)
def test_what_is_the_jobs_own(exit_code: int, text: str) -> None:
    assert lost_by(exit_code, text.splitlines()) == ""


class Script(Running):
    """A shell command in the place of a job's program."""

    def __init__(self, job: Job, attempt: int, command: str) -> None:
        super().__init__(job, attempt)
        self.log.parent.mkdir(parents=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(["bash", "-c", command], stdout=log, stderr=log)

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def interrupt(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class ScriptLauncher(Launcher):
    """Job -> what its starts do, one after the other; a job of which nothing is said is complete at once."""

    def __init__(self, scripts: dict[str, list[str]]) -> None:
        self._scripts = scripts
        self.started: list[tuple[str, float]] = []

    def check(self, experiment: Experiment) -> None:
        pass

    def slots(self) -> int:
        return 1

    def start(self, job: Job) -> Running:
        self.started.append((job.name, time.monotonic()))
        left = self._scripts.get(job.name, [])
        command = left.pop(0) if left else "exit 0"
        if command == "exit 0":
            self._complete(job)
        return Script(job, job.next_attempt(), command)

    def _complete(self, job: Job) -> None:
        if job.seed is not None:
            DoneRecord("finished", 1, 96, 500, 4, 0, "").write(job.folder / "done.json")
        for name in job.evaluations:
            place = job.run.start_eval(name)
            place.root.mkdir(parents=True)
            place.attempts.touch()


def run(
    tiny: Path, tmp_path: Path, pauses: tuple[float, ...], **scripts: list[str]
) -> tuple[RunOutcome, list[str], str, list[float]]:
    """The outcome, the jobs as they were started, what was said, and when grpo/seed0 was started."""
    text, launcher = io.StringIO(), ScriptLauncher({name.replace("_", "/"): made for name, made in scripts.items()})
    view = RunView(Console(file=text, width=400))
    driver = Driver(
        config.load(tiny), tiny.read_text(), view, lambda run: None, launcher=launcher, root=tmp_path / "runs",
        pauses=pauses,
    )  # fmt: skip
    outcome = driver.run()
    names = [name for name, _ in launcher.started]
    return outcome, names, text.getvalue(), [when for name, when in launcher.started if name == "grpo/seed0"]


def test_it_is_started_again_while_others_go_on(tiny: Path, tmp_path: Path) -> None:
    lost = ["kill -9 $$", f"echo '{OOM}'; exit 1"]
    outcome, started, said, when = run(tiny, tmp_path, (0.5, 1.0, 9.0), grpo_seed0=lost)
    assert outcome.exit_code == OK and not outcome.failures and outcome.open == 0
    assert started[:4] == ["start", "rence/seed0", "grpo/seed0", "rence/seed1"], "others have its place meanwhile"
    assert started.count("grpo/seed0") == 3 and len(started) == 7
    assert 0.5 <= when[1] - when[0] < 5 and 1.0 <= when[2] - when[1] < 6
    log = tmp_path / "runs/tiny/grpo/seed0/logs"
    first = (
        "grpo/seed0 was lost: it was killed (SIGKILL), as a system does that runs out of memory. It is started again "
        f"in 0.5 s and goes on from what is saved (1 of at most 3 times): {log}/attempt_1/output.log"
    )
    assert first in said and "memory ran out. It is started again in 1 s" in said and "(2 of at most 3 times)" in said
    assert (log / "attempt_2/output.log").read_text().splitlines()[-1] == (
        "rence: grpo/seed0: memory ran out. It is started again in 1 s and goes on from what is saved (2 of at most 3 "
        "times)."
    )
    assert [reason.partition(",")[0] for reason in outcome.to_json()["retried"]["grpo/seed0"]] == [
        "it was killed (SIGKILL)", "memory ran out",
    ]  # fmt: skip


def test_three_times_at_most(tiny: Path, tmp_path: Path) -> None:
    outcome, started, said, _ = run(tiny, tmp_path, (0.0, 0.0, 0.0), grpo_seed0=["kill -9 $$"] * 9)
    assert started.count("grpo/seed0") == 4 and outcome.exit_code == FAILED and outcome.open == 1
    assert [failure.exit_code for failure in outcome.failures] == [-9]
    assert "(3 of at most 3 times)" in said and "grpo/seed0 failed (exit code -9)" in said
    assert PAUSES == (5.0, 20.0, 60.0)


def test_none_where_the_user_wants_none(tiny: Path, tmp_path: Path) -> None:
    outcome, started, said, _ = run(tiny, tmp_path, (), grpo_seed0=["kill -9 $$"], grpo_seed1=["echo 'no'; exit 2"])
    assert started.count("grpo/seed0") == 1 and "started again" not in said
    assert outcome.to_json()["retried"] == {}
    assert sorted(failure.exit_code for failure in outcome.failures) == [-9, USAGE]


@pytest.mark.parametrize(("asked", "pauses"), [([], PAUSES), (["--new-starts", "1"], (5.0,)), (["--new-starts=0"], ())])
def test_the_user_says_how_often(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], pauses: tuple[float, ...]
) -> None:
    seen: list[Sequence[float]] = []

    def run(driver: Driver) -> RunOutcome:
        seen.append(driver.pauses)
        raise UserError("seen")

    monkeypatch.setattr(Driver, "run", run)
    with pytest.raises(SystemExit):
        main(["run", str(tiny), *asked])
    assert seen == [pauses]


@pytest.mark.parametrize("script", ["echo 'ValueError: always'; exit 1", "exit 130", "kill -SEGV $$"])
def test_what_would_happen_again_is_not_tried_again(tiny: Path, tmp_path: Path, script: str) -> None:
    outcome, started, said, _ = run(tiny, tmp_path, (0.0, 0.0, 0.0), grpo_seed0=[script])
    assert started.count("grpo/seed0") == 1 and outcome.open == 1 and outcome.retried == {}
    assert "started again" not in said and started.count("grpo/seed1") == 1


def test_a_mistake_of_the_users_ends_the_run_at_once(tiny: Path, tmp_path: Path) -> None:
    outcome, started, _, _ = run(tiny, tmp_path, (0.0,), start=["echo 'no such thing'; exit 2"])
    assert started == ["start"] and outcome.exit_code == USAGE


def test_a_refusal_that_a_loss_has_left_behind_is_no_mistake(tiny: Path, tmp_path: Path) -> None:
    """The lock of a dead node is held for a while."""
    scripts = ["kill -9 $$", "echo 'grpo/seed0 is in use by another trial'; exit 2"]
    outcome, started, said, _ = run(tiny, tmp_path, (0.0, 0.0, 0.0), grpo_seed0=scripts)
    assert outcome.exit_code == OK and started.count("grpo/seed0") == 3
    assert "it was refused after a loss: grpo/seed0 is in use by another trial. It is started" in said
