"""SIGUSR1 and SIGTERM: a cluster takes the machine away soon. Steps are saved, the run ends, and goes on later."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.backends import on_nodes
from harness.base.errors import INTERRUPTED, OK
from harness.base.interrupts import SAVING_SECONDS, Preempted, as_ctrl_c, held_back, saved_first
from harness.base.locks import LOCK
from tests.harness.watching import lines, wait_for

Start = Callable[..., subprocess.Popen[str]]
Rence = Callable[..., subprocess.CompletedProcess[str]]
SMALL = (
    "seeds=[0]", "budget.rollouts=1280", "recipe.checkpoint_steps=1000", "evaluation.limit=4", "evaluation.points=1",
    "--only", "grpo", "--workers", "1",
)  # fmt: skip
"""one trial of 40 steps, whose only checkpoint is its last; alone, for the untrained model is asked before it"""
OWN_GROUP = 'set -- setsid "$@"'


def tree(run: Path) -> dict[str, bytes]:
    """Every file that must be the same; the report shows seconds."""
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("timing.json", LOCK) and not {"logs", "report"} & set(path.parts)
    }


def end(driver: subprocess.Popen[str]) -> str:
    _, said = driver.communicate(timeout=300)
    assert driver.returncode == INTERRUPTED, said
    assert "Traceback" not in said
    return said


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Made by the first test that needs it."""
    return {}


@pytest.mark.parametrize("to", ["driver", "driver, by SIGTERM", "its whole group", "the trial"])
def test_a_run_saves_its_step_and_goes_on_to_the_same_bytes(
    tiny: Path, tmp_path: Path, start: Start, rence: Rence, undisturbed: dict[str, dict[str, bytes]], to: str
) -> None:
    if not undisturbed:
        (tmp_path / "whole").mkdir()
        whole = rence("run", str(tiny), *SMALL, cwd=tmp_path / "whole")
        assert whole.returncode == OK, whole.stderr
        undisturbed["tree"] = tree(tmp_path / "whole/runs/tiny")
    trial = tmp_path / "runs/tiny/grpo/seed0"
    driver = start("run", str(tiny), *SMALL, before=OWN_GROUP)
    wait_for(lambda: lines(trial / "steps.jsonl") >= 2)
    if to.startswith("driver"):
        number, words = {
            "driver": (signal.SIGUSR1, "SIGUSR1"), "driver, by SIGTERM": (signal.SIGTERM, "SIGTERM, 15 s at most"),
        }[to]  # fmt: skip
        driver.send_signal(number)
        said = end(driver)
        assert "rence: interrupted. What is done is saved. To go on:" in said
        assert f"{words}: the jobs that run (1) save at the end of their step, then end." in said
    elif to == "its whole group":
        os.killpg(driver.pid, signal.SIGUSR1)
        end(driver)
    else:
        os.kill(int((trial / LOCK).read_text().split()[0]), signal.SIGUSR1)
        _, said = driver.communicate(timeout=300)
        assert "grpo/seed0 failed (exit code 130)" in said
    made = lines(trial / "steps.jsonl")
    assert 2 <= made < 40
    assert [path.name for path in (trial / "checkpoints").iterdir()] == [f"step_{made}"], "no step is lost"
    assert not list(trial.glob("logs/*/request"))
    again = rence("run", str(tiny), *SMALL)
    assert again.returncode == OK, again.stderr
    found = tree(tmp_path / "runs/tiny")
    assert found.keys() == undisturbed["tree"].keys()
    assert [name for name in found if found[name] != undisturbed["tree"][name]] == []


def test_a_second_signal_does_not_wait_for_the_step(tiny: Path, tmp_path: Path, start: Start) -> None:
    driver = start("run", str(tiny), *SMALL)
    trial = tmp_path / "runs/tiny/grpo/seed0"
    wait_for(lambda: lines(trial / "steps.jsonl") >= 1)
    held = int((trial / LOCK).read_text().split()[0])
    os.kill(held, signal.SIGSTOP)  # it never ends its step
    driver.send_signal(signal.SIGUSR1)
    time.sleep(1.0)
    assert driver.poll() is None
    began = time.monotonic()
    driver.send_signal(signal.SIGTERM)
    end(driver)
    assert time.monotonic() - began < 10
    assert not (trial / "checkpoints").exists() or not list((trial / "checkpoints").iterdir())


@pytest.mark.slow
def test_sigterm_does_not_wait_for_a_step_that_takes_long(tiny: Path, tmp_path: Path, start: Start) -> None:
    driver = start("run", str(tiny), *SMALL)
    trial = tmp_path / "runs/tiny/grpo/seed0"
    wait_for(lambda: lines(trial / "steps.jsonl") >= 1)
    os.kill(int((trial / LOCK).read_text().split()[0]), signal.SIGSTOP)
    began = time.monotonic()
    driver.send_signal(signal.SIGTERM)
    end(driver)
    assert SAVING_SECONDS < time.monotonic() - began < 28, "a cluster kills after 30 s"


def test_what_has_no_step_ends_at_once(tiny: Path, tmp_path: Path, start: Start) -> None:
    """The untrained model's evaluation goes on from its attempts, and a trial that is being set up has nothing."""
    driver = start("run", str(tiny), "evaluation.benchmarks={mini_sums: 64}", "--workers", "1")
    wait_for((tmp_path / "runs/tiny/start/evals/mini_sums/attempts.jsonl").exists)
    began = time.monotonic()
    driver.send_signal(signal.SIGUSR1)
    end(driver)
    assert time.monotonic() - began < 10
    assert not (tmp_path / "runs/tiny/start/evals/mini_sums/attempts.parquet").exists()


def test_a_step_is_ended_first_and_only_a_step() -> None:
    me, seen = os.getpid(), []
    with as_ctrl_c():
        with pytest.raises(Preempted), saved_first() as leaving:
            seen.append(leaving(False))
            os.kill(me, signal.SIGUSR1)
            seen.append(leaving(False))
        with saved_first() as leaving:
            seen.append(leaving(False))
        with pytest.raises(Preempted):
            os.kill(me, signal.SIGUSR1)
            time.sleep(5)
        with pytest.raises(Preempted), held_back():
            os.kill(me, signal.SIGUSR1)
            seen.append("held back")
        with saved_first() as leaving:
            seen.append(leaving(False))
            os.kill(me, signal.SIGUSR1)
        with pytest.raises(Preempted), saved_first() as leaving:
            seen.append(leaving(False))
        with pytest.raises(Preempted), saved_first() as leaving:
            seen.append(leaving(True))
            os.kill(me, signal.SIGUSR1)  # nothing is lost, and an evaluation may be what comes next
        with saved_first() as leaving:
            seen.append(leaving(True))
    assert seen == [False, True, False, "held back", False, True, True, True], "too late for one step: for the next"


def test_another_thread_has_no_signals() -> None:
    seen: list[bool] = []

    def work() -> None:
        with saved_first() as leaving:
            seen.append(leaving(False))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


def test_ray_does_not_change_what_sigterm_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its SystemExit is dropped while it waits for an answer, and ends a trial in no way that is known here."""
    ray = pytest.importorskip("ray")

    def init(**_: object) -> None:
        """As Ray's, of which this is the part that matters here."""
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(number))

    monkeypatch.setattr(ray, "init", init)
    with as_ctrl_c():
        on_nodes.join(address="auto")
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
